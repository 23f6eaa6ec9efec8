/** What the suite of every provider works on: a provider in a world of its own, orders for it, and its launches. */
import { Effect, Fiber, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { keyOf } from "../../src/domain/Intent.ts"
import type { Operation } from "../../src/domain/Job.ts"
import type { KubernetesObject } from "../../src/ports/KubernetesClient.ts"
import type { JobReference, Order, Provider } from "../../src/ports/ProvisioningProvider.ts"

/** One launch that took effect. */
export interface Launched {
  readonly uid: string | undefined
  readonly live: boolean
}

export interface ProviderWorld {
  readonly provider: Provider
  /** Every launch that took effect, oldest first. */
  readonly launched: Effect.Effect<ReadonlyArray<Launched>>
  /** How many requests went over the wire so far. */
  readonly requests: Effect.Effect<number>
  /** What happens to the next launch: it is refused, it is applied and its answer lost, or nobody ever answers. */
  readonly harmNextLaunch: (harm: "refuse" | "loseAnswer" | "silence") => Effect.Effect<void>
  /** Brings the job to a good end; answers the object as it will be read from then on. */
  readonly succeed: (object: KubernetesObject, job: JobReference) => Effect.Effect<KubernetesObject>
}

export interface Contract {
  readonly name: string
  readonly blockDeletionOnFailure: boolean
  readonly make: Effect.Effect<ProviderWorld, never, Scope.Scope>
  /** Ids of jobs that are of its form, and of others that are not. */
  readonly ids: { readonly own: ReadonlyArray<string>; readonly foreign: ReadonlyArray<string> }
  /** An id of its form that no job has. */
  readonly unknownId: string
}

export const operations: ReadonlyArray<Operation> = ["provision", "deprovision"]
export const uidOf = (n: number): string => `11111111-0000-4000-8000-${String(n).padStart(12, "0")}`

export const objectOf = (n: number): KubernetesObject => ({
  apiVersion: "cloudkit.openshift.io/v1alpha1",
  kind: "ComputeInstance",
  metadata: { name: `vm-${n}`, namespace: "default", uid: uidOf(n), resourceVersion: "1", generation: 1 },
  spec: { templateID: "osac.templates.small" },
  status: { desiredConfigVersion: "0123456789abcdef" }
})

export const orderOf = (n: number, operation: Operation): Order => ({
  key: keyOf(uidOf(n), operation, "0123456789abcdef", 1),
  stamp: "1970-01-01T00:00:00.000Z",
  payload: { kind: "ComputeInstance", metadata: { name: `vm-${n}`, namespace: "default", uid: uidOf(n) } }
})

export const launch = (provider: Provider, n: number, operation: Operation = "provision") =>
  Effect.scoped(
    Effect.flatMap(provider.prepare(operation), (prepared) =>
      Effect.map(prepared.send(orderOf(n, operation)), (job) => ({
        template: prepared.template,
        reference: { id: job.id, kind: job.kind, operation, launchKey: orderOf(n, operation).key }
      }))
    )
  )

/** The failure of a launch, while time goes by. */
export const failedLaunch = (provider: Provider, n: number) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(Effect.result(launch(provider, n)))
    yield* TestClock.adjust("2 minutes")
    const result = yield* Fiber.join(fiber)
    return result._tag === "Failure" ? result.failure : yield* Effect.die(new Error("the launch succeeded"))
  })
