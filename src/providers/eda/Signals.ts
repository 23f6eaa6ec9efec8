/**
 * How a playbook says that it is done: by what it changes on the object. There is no other word of it, not even of failure.
 *
 * A provision is done when the annotation names the very version that the job builds. A deprovision is done when the
 * finalizer that playbooks held when it was requested is gone, or when a playbook or a person says so in an annotation.
 */
import {
  DEPROVISIONED_ANNOTATION,
  PLAYBOOK_FINALIZERS,
  RECONCILED_VERSION_ANNOTATION
} from "../../domain/ComputeInstance.ts"
import { readKey } from "../../domain/Intent.ts"
import type { Operation } from "../../domain/Job.ts"
import type { KubernetesObject } from "../../ports/KubernetesClient.ts"
import type { JobReference, Order } from "../../ports/ProvisioningProvider.ts"

const isPlaybooks = (finalizer: unknown): boolean => PLAYBOOK_FINALIZERS.some((one) => one === finalizer)

/** What the end of a job is to be read from. */
export const kindOf = (operation: Operation, payload: Order["payload"]): "finalizer" | "annotation" => {
  if (operation === "provision") return "annotation"
  const { metadata } = payload
  if (typeof metadata !== "object" || metadata === null || !("finalizers" in metadata)) return "annotation"
  const { finalizers } = metadata
  return Array.isArray(finalizers) && finalizers.some(isPlaybooks) ? "finalizer" : "annotation"
}

const provisioned = ({ metadata }: KubernetesObject, job: JobReference): boolean => {
  const key = job.launchKey === undefined ? undefined : readKey(job.launchKey)
  const version = job.configVersion ?? key?.configVersion ?? ""
  return version !== "" && metadata.annotations?.[RECONCILED_VERSION_ANNOTATION] === version
}

const deprovisioned = ({ metadata }: KubernetesObject, job: JobReference): boolean =>
  metadata.annotations?.[DEPROVISIONED_ANNOTATION] === "true" ||
  (job.kind !== "annotation" && !(metadata.finalizers ?? []).some(isPlaybooks))

/** The object says that the job is done. */
export const isDone = (object: KubernetesObject, job: JobReference): boolean =>
  job.operation === "provision" ? provisioned(object, job) : deprovisioned(object, job)
