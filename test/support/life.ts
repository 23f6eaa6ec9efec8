/** A test in virtual time that does not wait: for worlds with hundreds of objects or hours of events. */
import { it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as VirtualTime from "./VirtualTime.ts"

/** Like `it.effect`, with the faster clock. */
export const life = (name: string, course: () => Effect.Effect<void, unknown, Scope.Scope>, timeout?: number): void =>
  it.effect(name, () => Effect.provide(course(), VirtualTime.layer), timeout)
