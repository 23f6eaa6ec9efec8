/**
 * Builders of objects as the API server sends them, and of what is observed of them. Everything goes through `decode`, so
 * that a test never supposes a view that no object gives.
 */
import { Result } from "effect"
import {
  ADOPT_ANNOTATION,
  FINALIZER,
  GROUP,
  KIND,
  RETRY_ANNOTATION,
  VERSION
} from "../../../src/domain/ComputeInstance.ts"
import { configVersion } from "../../../src/domain/ConfigVersion.ts"
import {
  decide,
  type Found,
  type Limits,
  type Observation,
  type ProviderFacts,
  type Search,
  type Step
} from "../../../src/domain/Decision.ts"
import { decode, type History } from "../../../src/domain/Instance.ts"
import { INTENT_ANNOTATION, type Intent, keyOf, print } from "../../../src/domain/Intent.ts"
import type { Job, JobState, Operation } from "../../../src/domain/Job.ts"
import type { JsonObject, KubernetesObject } from "../../../src/domain/Resource.ts"
import { type Knowledge, type Problem, statusPatch } from "../../../src/domain/Status.ts"
import { mergePatch } from "./mergePatch.ts"

export const UID = "5d0c7e60-6a0f-4d0e-9d7c-2f6a5a3c1b11"
export const NOW = Date.parse("2026-11-21T12:00:00Z")
export const HOUR = 3_600_000
export const at = (milliseconds: number): string => new Date(milliseconds).toISOString()

/** Three specs, and the versions they have. */
export const specs = {
  A: { templateID: "osac.templates.ocp_virt_vm", templateParameters: '{"cpu":2}' },
  B: { templateID: "osac.templates.ocp_virt_vm", templateParameters: '{"cpu":4}' },
  C: { templateID: "osac.templates.ocp_virt_vm", templateParameters: '{"cpu":8}' }
} as const
export type SpecName = keyof typeof specs
export const versions = {
  A: configVersion(specs.A),
  B: configVersion(specs.B),
  C: configVersion(specs.C)
} as const

export const limits: Limits = { jobRetention: 24 * HOUR, jobDeadline: 24 * HOUR, cancelDeadline: 600_000 }

/** How long `eda` is waited for, and how far apart its requests are. */
export const SETTLE = 600_000
export const INTERVAL = 30_000

/** `aap` finds and cancels, `eda` only hears of ends, anything else is not configured. */
export const facts = (active: "aap" | "eda" = "aap"): ProviderFacts => {
  const hears = { settlePeriod: SETTLE, playbooksHoldFinalizer: true }
  return {
    active:
      active === "eda"
        ? { name: "eda", blockDeletionOnFailure: false, minimumInterval: INTERVAL, ...hears }
        : { name: "aap", blockDeletionOnFailure: true },
    of: (name) => ({
      configured: name === "aap" || name === "eda",
      canFind: name === "aap",
      canCancel: name === "aap",
      canPresume: name === "eda",
      ...(name === "eda" ? hears : {})
    })
  }
}

/** Every fact but the active provider's name withdrawn: nothing is configured. */
export const noProvider: ProviderFacts = {
  ...facts(),
  of: () => ({ configured: false, canFind: false, canCancel: false })
}

export interface Scene {
  readonly spec?: JsonObject
  readonly status?: JsonObject
  readonly jobs?: ReadonlyArray<Job>
  readonly intent?: Intent
  readonly annotations?: Readonly<Record<string, string>>
  readonly retry?: string
  readonly adopt?: string
  readonly finalizers?: ReadonlyArray<string>
  readonly deleting?: boolean
  readonly generation?: number
  readonly now?: number
  readonly providers?: ProviderFacts
  readonly search?: Search
}

export const objectOf = (scene: Scene): KubernetesObject => ({
  apiVersion: `${GROUP}/${VERSION}`,
  kind: KIND,
  metadata: {
    name: "vm",
    namespace: "tenant",
    uid: UID,
    resourceVersion: "7",
    generation: scene.generation ?? 3,
    creationTimestamp: "2026-11-21T11:00:00Z",
    ...(scene.deleting === true ? { deletionTimestamp: "2026-11-21T11:59:00Z" } : {}),
    finalizers: scene.finalizers ?? [FINALIZER],
    annotations: {
      ...scene.annotations,
      ...(scene.intent === undefined ? {} : { [INTENT_ANNOTATION]: print(scene.intent) }),
      ...(scene.retry === undefined ? {} : { [RETRY_ANNOTATION]: scene.retry }),
      ...(scene.adopt === undefined ? {} : { [ADOPT_ANNOTATION]: scene.adopt })
    }
  },
  spec: scene.spec ?? specs.A,
  status: {
    ...scene.status,
    ...(scene.jobs === undefined ? {} : { jobs: scene.jobs.map((one): JsonObject => ({ ...one })) })
  }
})

export const emptyHistory: History = {
  jobs: [],
  attempts: { provision: 0, deprovision: 0 },
  launch: undefined,
  lostLaunches: [],
  reconciledConfigVersion: undefined
}

export const historyOf = (object: KubernetesObject): History =>
  Result.getOrElse(decode(object).history, () => emptyHistory)

export const look = (scene: Scene): Observation => {
  const object = objectOf(scene)
  return {
    instance: decode(object),
    history: historyOf(object),
    now: scene.now ?? NOW,
    providers: scene.providers ?? facts(),
    limits,
    search: scene.search
  }
}

export const step = (scene: Scene): Step => decide(look(scene))

/** What is known after looking, ready to be projected. */
export const knowledge = (scene: Scene, problem?: Problem): Knowledge => {
  const o = look(scene)
  return { instance: o.instance, history: o.history, step: decide(o), problem, now: o.now, limits }
}

/** The object after its status was patched, as the API server would store it. */
export const stored = (object: KubernetesObject, patch: JsonObject | undefined): KubernetesObject =>
  patch === undefined ? object : { ...object, status: mergePatch(object.status, patch) }

export const written = (scene: Scene, problem?: Problem): KubernetesObject => {
  const known = knowledge(scene, problem)
  return stored(known.instance.object, statusPatch(known))
}

export const job = (type: Operation, state: JobState, more: Partial<Job> = {}): Job => {
  const attempt = more.attempt ?? 1
  const version = more.configVersion ?? versions.A
  return {
    jobID: type === "provision" ? "41" : "71",
    type,
    provider: "aap",
    state,
    message: `${type} ${state}`,
    timestamp: "2026-11-21T11:30:00Z",
    configVersion: version,
    blockDeletionOnFailure: type === "deprovision",
    launchKey: keyOf(UID, type, version, attempt),
    launchStamp: "2026-11-21T11:29:59.000Z",
    attempt,
    ...more
  }
}

export const intentFor = (operation: Operation, more: Partial<Intent> = {}): Intent => {
  const attempt = more.attempt ?? 1
  const version = more.configVersion ?? versions.A
  return {
    key: keyOf(UID, operation, version, attempt),
    object: "tenant/vm",
    operation,
    attempt,
    provider: "aap",
    template: `${operation}-template`,
    configVersion: version,
    stamp: at(NOW - 60_000),
    ...more
  }
}

/** The intent that a record closes. */
export const intentOf = (one: Job, more: Partial<Intent> = {}): Intent =>
  intentFor(one.type, {
    attempt: one.attempt ?? 1,
    configVersion: one.configVersion ?? versions.A,
    stamp: one.launchStamp ?? at(NOW),
    ...more
  })

/** What a search finds unless a test says otherwise: a job of ours that is alive. */
const alive = { relaunched: false, state: "Running", finishedAt: undefined } as const

export const searched = (
  purpose: Search["purpose"],
  quiet: boolean,
  ...found: ReadonlyArray<{ readonly id: string; readonly launchKey: string; readonly relaunched?: boolean }>
): Search => ({ purpose, quiet, found: found.map((one): Found => ({ ...alive, ...one })) })

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The status of an object, as anything but our own code would read it. */
export const statusOf = (object: KubernetesObject): JsonObject => (isObject(object.status) ? object.status : {})
