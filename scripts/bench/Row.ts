/** A row of the benchmark: one experiment with its own processes, and what it measures. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import type { ProcessFailed } from "../processes/Child.ts"
import type { Outcome } from "./Outcome.ts"
import type { Samples } from "./sample.ts"
import type { UserFailed } from "./Users.ts"

export type ProviderName = "aap" | "eda"

export interface Setting {
  /** What launches, where a row can be measured with either. */
  readonly provider: ProviderName
  /** The API server of rows that can do with any. */
  readonly kube: "simulated" | "real"
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
  /** Another operator and a real API server can be put in place: it needs no objects as this operator records them. */
  readonly portable: boolean
}

export const temporaryDirectory: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "cloudkit-bench-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)
