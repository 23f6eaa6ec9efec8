/**
 * The versions of the one object, as the API server would store them. Equal contents are the same version, so that a state
 * of the world names a version by a number.
 *
 * Times that decide nothing (when a condition changed, when a launch ended) are stored as one and the same.
 */
import { ADOPT_ANNOTATION, FINALIZER, RETRY_ANNOTATION } from "../../src/domain/ComputeInstance.ts"
import { decode, type Instance } from "../../src/domain/Instance.ts"
import { INTENT_ANNOTATION } from "../../src/domain/Intent.ts"
import { isTerminal, type Job } from "../../src/domain/Job.ts"
import { isObject, type JsonObject, type KubernetesObject } from "../../src/domain/Resource.ts"
import type { MetadataChange } from "../../src/ports/KubernetesClient.ts"

/** Time zero of every exploration. */
export const BASE = Date.parse("2026-01-01T00:00:00Z")
const WHENEVER = "2026-01-01T00:00:00Z"

export interface Version {
  /** 0: there is no object. */
  readonly id: number
  readonly object: KubernetesObject
  readonly instance: Instance
  readonly jobs: ReadonlyArray<Job>
  readonly deleting: boolean
  readonly finalizers: ReadonlyArray<string>
}

const sorted = (json: unknown): unknown => {
  if (Array.isArray(json)) return json.map(sorted)
  if (typeof json !== "object" || json === null) return json
  return Object.fromEntries(
    Object.entries(json)
      .filter(([, value]) => value !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, sorted(value)])
  )
}

/** JSON that is the same for the same content, whatever the order of its fields. */
const canonical = (json: unknown): string => JSON.stringify(sorted(json))

const timeless = (status: JsonObject): JsonObject => ({
  ...status,
  ...(Array.isArray(status.conditions)
    ? {
        conditions: status.conditions.map((condition) =>
          isObject(condition) ? { ...condition, lastTransitionTime: WHENEVER } : condition
        )
      }
    : {}),
  ...(isObject(status.launch) ? { launch: { ...status.launch, time: WHENEVER } } : {})
})

const merged = (from: JsonObject, patch: JsonObject): JsonObject => {
  const next: Record<string, JsonObject[string]> = { ...from }
  for (const [key, value] of Object.entries(patch)) {
    const before = next[key]
    if (value === null) delete next[key]
    else next[key] = isObject(value) ? merged(isObject(before) ? before : {}, value) : value
  }
  return next
}

const statusOf = (object: KubernetesObject): JsonObject => (isObject(object.status) ? object.status : {})

/** What the API server says to a write: the version it makes, or that it refuses the content. */
export type Written = Version | "Invalid"

const known = new Map<string, Version>()
const all: Array<Version> = []

const intern = (object: KubernetesObject): Version => {
  const text = canonical(object)
  const found = known.get(text)
  if (found !== undefined) return found
  const instance = decode(object)
  const version: Version = {
    id: all.length,
    object,
    instance,
    jobs: instance.history._tag === "Success" ? instance.history.success.jobs : [],
    deleting: object.metadata.deletionTimestamp !== undefined,
    finalizers: object.metadata.finalizers ?? []
  }
  known.set(text, version)
  all.push(version)
  return version
}

const NAME = { name: "vm", namespace: "tenant", uid: "u", resourceVersion: "0" }
const apiVersion = "cloudkit.openshift.io/v1alpha1"

/** No object: the place in the store is empty. */
export const NOTHING = intern({ apiVersion, kind: "ComputeInstance", metadata: { ...NAME, uid: "nobody" } })

export const newborn = (): Version =>
  intern({
    apiVersion,
    kind: "ComputeInstance",
    metadata: { ...NAME, generation: 1, creationTimestamp: WHENEVER },
    spec: { name: "vm", vcpu: 1, memory: 1024, disk: 10 }
  })

/** An object of which an earlier operator recorded these jobs. */
export const recordedBefore = (jobs: ReadonlyArray<JsonObject>): Version => {
  const { object } = newborn()
  return intern({
    ...object,
    metadata: { ...object.metadata, finalizers: [FINALIZER] },
    status: { phase: "Progressing", observedGeneration: 1, jobs: [...jobs] }
  })
}

export const isLiveRecord = (job: Job): boolean => !isTerminal(job)

/** The same change of the same version is made once. */
const once = <A extends object, B>(make: (version: Version, change: A) => B): ((version: Version, change: A) => B) => {
  const made = new WeakMap<A, Map<number, B>>()
  return (version, change) => {
    const ofChange = made.get(change) ?? new Map<number, B>()
    made.set(change, ofChange)
    const before = ofChange.get(version.id)
    if (before !== undefined) return before
    const after = make(version, change)
    ofChange.set(version.id, after)
    return after
  }
}

const withMetadata = ({ object }: Version, change: Partial<KubernetesObject["metadata"]>): Version =>
  intern({ ...object, metadata: { ...object.metadata, ...change } })

/** A finalizer cannot be put on what is being deleted; the last one taken off it is the end. */
export const withFinalizers = (version: Version, finalizers: ReadonlyArray<string>): Written => {
  if (!version.deleting) return withMetadata(version, { finalizers })
  if (finalizers.some((one) => !version.finalizers.includes(one))) return "Invalid"
  return finalizers.length === 0 ? NOTHING : withMetadata(version, { finalizers })
}

export const withAnnotations = (version: Version, change: Readonly<Record<string, string | null>>): Version => {
  const annotations: Record<string, string> = { ...version.object.metadata.annotations }
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete annotations[key]
    else annotations[key] = value
  }
  return withMetadata(version, { annotations })
}

export const withChange = once((version: Version, change: MetadataChange): Written => {
  const annotated = change.annotations === undefined ? version : withAnnotations(version, change.annotations)
  return change.finalizers === undefined ? annotated : withFinalizers(annotated, change.finalizers)
})

export const withStatus = once(
  (version: Version, patch: JsonObject): Version =>
    intern({ ...version.object, status: timeless(merged(statusOf(version.object), patch)) })
)

// ── what people do ───────────────────────────────────────────────────────────────────────────────────────────────────

const remembered = <B>(make: (version: Version) => B): ((version: Version) => B) => {
  const change = {}
  const cached = once((version: Version, _: typeof change) => make(version))
  return (version) => cached(version, change)
}

/** Another size, and the next time the first one again. */
export const resized = remembered((version): Version => {
  const spec = isObject(version.object.spec) ? version.object.spec : {}
  const { generation = 1 } = version.object.metadata
  return intern({
    ...version.object,
    metadata: { ...version.object.metadata, generation: generation + 1 },
    spec: { ...spec, vcpu: spec.vcpu === 1 ? 2 : 1 }
  })
})

export const deleted = remembered(
  (version): Version =>
    version.finalizers.length === 0
      ? NOTHING
      : withMetadata(version, {
          deletionTimestamp: WHENEVER,
          generation: (version.object.metadata.generation ?? 1) + 1
        })
)

const retries = new Map<string, (version: Version) => Version>()
export const retried = (version: Version, value: string): Version => {
  const make = retries.get(value) ?? remembered((one) => withAnnotations(one, { [RETRY_ANNOTATION]: value }))
  retries.set(value, make)
  return make(version)
}

const adoptions = new Map<string, (version: Version) => Version>()
/** A person names the job to follow. */
export const adopting = (version: Version, id: string): Version => {
  const make = adoptions.get(id) ?? remembered((one) => withAnnotations(one, { [ADOPT_ANNOTATION]: id }))
  adoptions.set(id, make)
  return make(version)
}

export const wiped = remembered((version) => withAnnotations(version, { [INTENT_ANNOTATION]: null }))

/** A backup brought it back without its status. */
export const statusLost = remembered((version): Version => {
  const { status: _, ...rest } = version.object
  return intern(rest)
})

export const stripped = remembered(
  (version): Written =>
    withFinalizers(
      version,
      version.finalizers.filter((one) => one !== FINALIZER)
    )
)
