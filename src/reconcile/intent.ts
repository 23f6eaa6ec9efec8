/**
 * What is written and sent for a launch: the intent on the object, and the order to the provider.
 */
import { Effect, Result } from "effect"
import { FINALIZER, PLAYBOOK_FINALIZERS, RECONCILED_VERSION_ANNOTATION } from "../domain/ComputeInstance.ts"
import type { Instance } from "../domain/Instance.ts"
import { INTENT_ANNOTATION, type Intent, print } from "../domain/Intent.ts"
import { isObject, type JsonObject } from "../domain/Resource.ts"
import { KubernetesClient, type KubernetesObject } from "../ports/KubernetesClient.ts"
import type { Order, Provider } from "../ports/ProvisioningProvider.ts"
import * as Finalizer from "../runtime/Finalizer.ts"
import { IntentClock } from "./IntentClock.ts"
import { viewOf } from "./record.ts"
import { Store } from "./Store.ts"

/** The resource as playbooks get it. */
const payloadOf = (object: KubernetesObject, desiredConfigVersion: string): JsonObject => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  metadata: JSON.parse(JSON.stringify(object.metadata)),
  ...(object.spec === undefined ? {} : { spec: object.spec }),
  status: {
    ...(isObject(object.status) ? object.status : {}),
    desiredConfigVersion
  }
})

export const fields = (instance: Instance, intent: Intent) => ({
  computeinstance: instance.key,
  operation: intent.operation,
  attempt: intent.attempt,
  launchKey: intent.key,
  provider: intent.provider,
  template: intent.template
})

export const holdsPlaybookFinalizer = ({ object }: Instance): boolean =>
  (object.metadata.finalizers ?? []).some((finalizer) => PLAYBOOK_FINALIZERS.includes(finalizer))

/** A signal of an earlier run for the very version that is about to be launched must not be taken for the new run's. */
const staleSignal = ({ object }: Instance, intent: Intent, provider: Provider): Readonly<Record<string, null>> =>
  provider.playbooksHoldFinalizer === true &&
  intent.operation === "provision" &&
  object.metadata.annotations?.[RECONCILED_VERSION_ANNOTATION] === intent.configVersion
    ? { [RECONCILED_VERSION_ANNOTATION]: null }
    : {}

/** Writes the intent, and the finalizer with it, guarded by the view the launch was decided on. */
export const writeIntent = Effect.fnUntraced(function* (instance: Instance, intent: Intent, provider: Provider) {
  const client = yield* KubernetesClient
  const store = yield* Store
  const finalizers = instance.object.metadata.finalizers ?? []
  const written = yield* client.patchMetadata(viewOf(instance.object), {
    annotations: { [INTENT_ANNOTATION]: print(intent), ...staleSignal(instance, intent, provider) },
    ...(instance.holdsFinalizer ? {} : { finalizers: Finalizer.added(finalizers, FINALIZER) })
  })
  yield* store.apply(written)
  const clock = yield* IntentClock
  yield* clock.age(instance.key, intent.stamp, "us")
  return written
})

/** Everything the provider needs to send the launch that the intent describes. */
export const orderOf = (object: KubernetesObject, instance: Instance, intent: Intent): Order => ({
  key: intent.key,
  stamp: intent.stamp,
  recorded: Result.match(instance.history, {
    onFailure: () => [],
    onSuccess: (history) => history.jobs.map((job) => job.jobID)
  }),
  payload: payloadOf(object, intent.configVersion)
})
