/** A row of the benchmark: one experiment with its own processes, and what it measures. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import type { ProcessFailed } from "../processes/Child.ts"
import type { Outcome } from "./Outcome.ts"
import type { Samples } from "./sample.ts"
import type { UserFailed } from "./Users.ts"

export interface Setting {
  readonly operator: ReadonlyArray<string>
  /** How many objects; each row has its own default. */
  readonly n: number | undefined
  /** By how much the long waits of a lifecycle are shortened. */
  readonly timeScale: number
  readonly samples: Samples
  readonly directory: string
}

export type BenchFailed = ProcessFailed | UserFailed

export interface Row {
  readonly name: string
  readonly title: string
  readonly n: number
  readonly run: (setting: Setting, n: number) => Effect.Effect<Outcome, BenchFailed, Scope.Scope>
  /** It begins with objects as this operator records them, so that no other can be put in its place. */
  readonly stocked: boolean
}

export const temporaryDirectory: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "cloudkit-bench-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)
