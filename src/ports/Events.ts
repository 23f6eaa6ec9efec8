/**
 * Tells the user that something happened, as Kubernetes Events on the object. Best effort: bounded, never blocks a pass,
 * never fails it. Nothing is decided from events.
 */
import { Context, type Effect } from "effect"
import type { EventReason } from "../domain/EventReasons.ts"
import type { NamespacedName } from "./KubernetesClient.ts"

export interface Regarding extends NamespacedName {
  readonly uid: string
  readonly resourceVersion: string
}

export interface Happening {
  readonly regarding: Regarding
  /** Says the type and the action as well. */
  readonly reason: EventReason
  /** Cut to 1,024 bytes, as events.k8s.io/v1 demands. */
  readonly note: string
}

export class Events extends Context.Service<
  Events,
  {
    readonly publish: (happening: Happening) => Effect.Effect<void>
  }
>()("cloudkit-operator/ports/Events") {}
