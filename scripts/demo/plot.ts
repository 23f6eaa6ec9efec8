/** What stories have in common: the machines that are ordered, and what is waited for. */
import { Effect } from "effect"
import { type JsonObject, numberAt, stringAt } from "../../test/support/kubernetes/Json.ts"
import type { Actor } from "./Story.ts"

export const machine = (name: string): JsonObject => ({ name, vcpu: 2, memory: 4096, disk: 40 })

/** The operator has seen the newest spec and is at rest, for better or worse. */
const settled = (object: JsonObject | undefined): boolean =>
  object !== undefined &&
  numberAt(object, "status", "observedGeneration") === numberAt(object, "metadata", "generation") &&
  ["Ready", "Failed"].includes(stringAt(object, "status", "phase") ?? "")

export const becomesSettled = (actor: Actor) => actor.until("the machine is Ready or Failed", settled)

export const orders = (name: string) => (actor: Actor) =>
  Effect.andThen(actor.apply(machine(name)), becomesSettled(actor))

export const isRemoved = (actor: Actor) =>
  Effect.andThen(
    actor.remove,
    actor.until("the resource is gone", (object) => object === undefined)
  )

/** A finding, if it does not hold. */
export const claim = (holds: boolean, otherwise: string): ReadonlyArray<string> => (holds ? [] : [otherwise])
