/** Generators of whole objects, and of everything that can be observed of them: sound, odd, and contradictory. */
import * as fc from "fast-check"
import type { Search } from "../../../src/domain/Decision.ts"
import { type Intent, keyOf } from "../../../src/domain/Intent.ts"
import type { Job, JobObservation, JobState, Operation } from "../../../src/domain/Job.ts"
import type { JsonObject } from "../../../src/domain/Resource.ts"
import { at, facts, HOUR, NOW, noProvider, type Scene, specs, UID, versions } from "./objects.ts"

export const operation = fc.constantFrom<Operation>("provision", "deprovision")
const version = fc.constantFrom(versions.A, versions.A, versions.B, versions.C)
const attempt = fc.integer({ min: 1, max: 5 })
const provider = fc.constantFrom("aap", "aap", "aap", "eda", "other")
export const state = fc.constantFrom<JobState>(
  "Pending",
  "Waiting",
  "Running",
  "Succeeded",
  "Succeeded",
  "Failed",
  "Canceled",
  "Unknown"
)

/** Now and then: one time in `every`. */
const rarely = <A>(value: fc.Arbitrary<A>, every = 5): fc.Arbitrary<A | undefined> =>
  fc.tuple(fc.nat(every - 1), value).map(([n, one]) => (n === 0 ? one : undefined))
const rare = (every: number) => fc.nat(every - 1).map((n) => n === 0)
const given = <K extends string, A>(key: K, value: A | undefined) => (value === undefined ? {} : { [key]: value })
const either = <A>(value: fc.Arbitrary<A>): fc.Arbitrary<A | undefined> => fc.option(value, { nil: undefined, freq: 2 })

const key = fc.record({ operation, version, attempt }).map((k) => keyOf(UID, k.operation, k.version, k.attempt))

/** A stamp: fresh, old, or too old to tell. */
const stamp = fc.constantFrom(at(NOW - 30_000), at(NOW - 2 * HOUR), at(NOW - 30 * HOUR))

const record = fc
  .record({
    type: operation,
    state,
    version,
    attempt: fc.option(attempt, { nil: undefined, freq: 6 }),
    provider: fc.option(provider, { nil: undefined, freq: 9 }),
    gone: rare(8),
    duplicate: rare(6),
    block: fc.constantFrom(true, true, false, undefined),
    stamp,
    message: either(fc.string({ maxLength: 8 }))
  })
  .map(
    (r): Omit<Job, "jobID"> => ({
      type: r.type,
      state: r.state,
      timestamp: "2026-11-21T11:30:00Z",
      ...given("provider", r.provider),
      ...given("message", r.message),
      ...given("blockDeletionOnFailure", r.block),
      ...(r.gone ? { gone: true } : {}),
      ...(r.duplicate ? { duplicate: true } : {}),
      ...(r.attempt === undefined
        ? {}
        : {
            configVersion: r.version,
            attempt: r.attempt,
            launchKey: keyOf(UID, r.type, r.version, r.attempt),
            launchStamp: r.stamp
          })
    })
  )

/** Records with ids of their own, mostly at rest. */
export const jobs: fc.Arbitrary<ReadonlyArray<Job>> = fc
  .tuple(fc.array(record, { maxLength: 6 }), fc.boolean())
  .map(([records, rest]) =>
    records.map(
      (one, index): Job => ({
        ...one,
        ...(rest && !["Succeeded", "Failed", "Canceled"].includes(one.state) ? { state: "Failed" as const } : {}),
        jobID: one.provider === "eda" ? `eda-webhook-${index + 1}` : `${index + 1}`
      })
    )
  )

export const intent: fc.Arbitrary<Intent> = fc
  .record({
    operation,
    version,
    attempt,
    provider,
    stamp,
    since: rarely(stamp),
    retry: rarely(fc.constantFrom("1", "2"), 2)
  })
  .map((i) => ({
    key: keyOf(UID, i.operation, i.version, i.attempt),
    object: "tenant/vm",
    operation: i.operation,
    attempt: i.attempt,
    provider: i.provider,
    template: `${i.operation}-template`,
    configVersion: i.version,
    stamp: i.stamp,
    ...given("since", i.since),
    ...given("retry", i.retry)
  }))

const closing = fc.record({
  outcome: fc.constantFrom("Refused", "NotFound", "Unknown"),
  reason: either(fc.constantFrom("CredentialsRejected", "ProviderFailure", "Whatever")),
  retryAt: either(fc.constantFrom(at(NOW - 5_000), at(NOW + 5_000), "soon")),
  of: fc.option(intent, { nil: undefined, freq: 3 })
})

const lost = fc
  .record({ provider, operation })
  .map((l): JsonObject => ({ ...l, template: `${l.operation}-template`, since: at(NOW - 3 * HOUR) }))

const search = (known: ReadonlyArray<Job>, open: Intent | undefined): fc.Arbitrary<Search> =>
  fc.record({
    purpose: fc.constantFrom("intent", "intent", "lost", "next"),
    quiet: fc.boolean(),
    found: fc.oneof(
      fc.constant([]),
      fc.uniqueArray(
        fc.record({
          id: fc.oneof(fc.constantFrom("801", "802", "803"), fc.constantFrom("800", ...known.map((job) => job.jobID))),
          launchKey: open === undefined ? key : fc.oneof(key, fc.constant(open.key)),
          relaunched: rare(4),
          state,
          finishedAt: either(fc.constant("2026-11-21T11:31:00Z"))
        }),
        { maxLength: 3, selector: (one) => one.id }
      )
    )
  })

/** The intent that closes, or does not close, one of the records. */
const intentAmong = (known: ReadonlyArray<Job>): fc.Arbitrary<Intent | undefined> =>
  fc.tuple(fc.nat(12), intent).map(([choice, fresh]) => {
    const launched = known.findLast((job) => job.launchKey !== undefined)
    if (choice === 0 || (launched === undefined && choice < 5)) return undefined
    if (choice <= 3 || launched === undefined) return fresh
    if (choice === 4) return { ...fresh, object: "tenant/another" }
    return {
      ...fresh,
      key: launched.launchKey ?? "",
      operation: launched.type,
      attempt: launched.attempt ?? 1,
      configVersion: launched.configVersion ?? "",
      stamp: choice === 5 ? at(NOW) : (launched.launchStamp ?? "")
    }
  })

/** What nobody meddled with: a managed object, a sound spec, a provider that can do everything. */
const untouched = {
  spec: specs.A,
  finalizers: ["cloudkit.openshift.io/computeinstance"],
  management: "",
  adopt: undefined,
  now: NOW,
  providers: facts("aap")
}

const anyhow = fc.record({
  spec: fc.constantFrom<JsonObject>(
    specs.A,
    specs.A,
    specs.A,
    specs.A,
    specs.B,
    specs.C,
    { vcpu: 0 },
    { templateID: "t", templateParameters: "{" }
  ),
  deleting: fc.boolean(),
  finalizers: fc.constantFrom<ReadonlyArray<string>>(
    ["cloudkit.openshift.io/computeinstance"],
    ["other", "cloudkit.openshift.io/computeinstance", "cloudkit.openshift.io/computeinstance-aap"],
    ["cloudkit.openshift.io/computeinstance"],
    ["other"],
    []
  ),
  management: fc.constantFrom("", "", "", "", "", "", "unmanaged", "manual"),
  retry: rarely(fc.constantFrom("1", "2"), 2),
  adopt: rarely(fc.constant("777"), 20),
  now: fc.constantFrom(NOW, NOW + HOUR, NOW + 48 * HOUR),
  providers: fc.constantFrom(facts("aap"), facts("aap"), facts("aap"), facts("eda"), noProvider),
  attempts: either(fc.record({ provision: fc.nat(6), deprovision: fc.nat(6) })),
  reconciled: either(version),
  closing: rarely(closing, 3),
  lost: fc.oneof(fc.constant([]), fc.array(lost, { maxLength: 2 }))
})

const rest = fc.tuple(anyhow, fc.boolean()).map(([any, plain]) => ({ ...any, ...(plain ? untouched : {}), plain }))

const foreign: JsonObject = {
  virtualMachineReference: { namespace: "vms", kubeVirtVirtualMachineName: "vm" },
  somebodyElse: { deep: [1, { a: null }], text: "kept" },
  conditions: [
    { type: "Custom", status: "True", reason: "Theirs", message: "kept", lastTransitionTime: "2026-01-01T00:00:00Z" },
    { type: "Ready", status: "False", reason: "JobRunning", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" }
  ]
}

const anyScene: fc.Arbitrary<Scene> = jobs.chain((known) =>
  intentAmong(known).chain((among) =>
    fc.tuple(rest, fc.option(search(known, among), { nil: undefined, freq: 2 })).map(([r, seen]): Scene => {
      const open = among !== undefined && r.plain ? { ...among, provider: "aap" } : among
      const of = r.closing?.of ?? open
      const launch =
        r.closing === undefined || of === undefined
          ? undefined
          : {
              key: of.key,
              stamp: of.stamp,
              operation: of.operation,
              outcome: r.closing.outcome,
              configVersion: of.configVersion,
              time: at(NOW),
              ...given("reason", r.closing.reason),
              ...given("retryAt", r.closing.retryAt)
            }
      return {
        spec: r.spec,
        jobs: known,
        deleting: r.deleting,
        finalizers: r.finalizers,
        now: r.now,
        providers: r.providers,
        annotations: r.management === "" ? {} : { "cloudkit.openshift.io/management-state": r.management },
        ...given("intent", open),
        ...given("retry", r.retry),
        ...given("adopt", r.adopt),
        ...given("search", seen),
        status: {
          ...foreign,
          ...given("attempts", r.attempts),
          ...given("reconciledConfigVersion", r.reconciled),
          ...given("launch", launch),
          lostLaunches: r.lost
        }
      }
    })
  )
)

/** A launch of what the object wants, of which nobody knows what came, and a search for it. */
const unresolved: fc.Arbitrary<Scene> = fc
  .tuple(anyScene, intent, fc.boolean(), fc.boolean(), fc.constantFrom(NOW, NOW, NOW, NOW + 48 * HOUR))
  .map(([any, sent, deleting, quiet, now]): Scene => {
    const { adopt: _, ...others } = any
    const type: Operation = deleting ? "deprovision" : "provision"
    const open = {
      ...sent,
      operation: type,
      key: keyOf(UID, type, versions.A, sent.attempt),
      configVersion: versions.A
    }
    return {
      ...others,
      spec: specs.A,
      annotations: {},
      finalizers: ["cloudkit.openshift.io/computeinstance"],
      providers: facts("aap"),
      deleting,
      now,
      intent: { ...open, provider: "aap", stamp: at(NOW - 45_000) },
      search: { purpose: "intent", quiet, found: any.search?.found ?? [] }
    }
  })

/** Whole scenes: an object, and what a pass may see beside it. */
export const scene: fc.Arbitrary<Scene> = fc.oneof(
  { weight: 6, arbitrary: anyScene },
  { weight: 1, arbitrary: unresolved }
)

/** What providers may say of jobs. */
export const seen: fc.Arbitrary<ReadonlyMap<string, JobObservation>> = fc
  .array(
    fc.record({
      id: fc.nat(7),
      state,
      detail: fc.constantFrom("", "AAP job failed: disk full", "exploded"),
      gone: rare(6)
    }),
    { maxLength: 3 }
  )
  .map((all) => new Map(all.map((one) => [`${one.id}`, { state: one.state, detail: one.detail, gone: one.gone }])))
