/** What the operators asked of the cluster, of AAP and of EDA, by kind, and whether that was as little as it should be. */
import type { Exchange } from "../../test/support/Faults.ts"
import { type LedgerJob, lifetime } from "../../test/support/SimulatedAap.ts"
import { DEPROVISION_PATH, PROVISION_PATH } from "../../test/support/SimulatedEda.ts"

interface Kind {
  readonly name: string
  readonly matches: (exchange: Exchange) => boolean
}

const kind = (name: string, method: string, path: RegExp, query = /^/u): Kind => ({
  name,
  matches: (exchange) => exchange.method === method && path.test(exchange.path) && query.test(exchange.query)
})

/** The first that matches counts. */
export const kubernetesKinds: ReadonlyArray<Kind> = [
  kind("watch", "GET", /\/computeinstances$/u, /[?&]watch=/u),
  kind("list", "GET", /\/computeinstances$/u),
  kind("read of one object", "GET", /\/computeinstances\/[^/]+$/u),
  kind("write of metadata", "PATCH", /\/computeinstances\/[^/]+$/u),
  kind("write of status", "PATCH", /\/computeinstances\/[^/]+\/status$/u),
  kind("event", "POST", /\/events$/u),
  kind("event", "PATCH", /\/events\/[^/]+$/u)
]
export const aapKinds: ReadonlyArray<Kind> = [
  kind("template look-up", "GET", /\/unified_job_templates\/$/u),
  kind("preflight", "GET", /\/launch\/$/u),
  kind("launch", "POST", /\/launch\/$/u),
  kind("status, many jobs at once", "GET", /\/unified_jobs\/$/u, /[?&]id__in=/u),
  kind("search", "GET", /\/unified_jobs\/$/u),
  kind("cancel", "POST", /\/cancel\/$/u),
  kind("reason of a failure", "GET", /\/(?:job_events|workflow_nodes)\/$/u),
  kind("one job", "GET", /\/(?:workflow_)?jobs\/\d+\/$/u)
]

export const edaKinds: ReadonlyArray<Kind> = [
  kind("webhook to provision", "POST", new RegExp(`/${PROVISION_PATH}$`, "u")),
  kind("webhook to deprovision", "POST", new RegExp(`/${DEPROVISION_PATH}$`, "u")),
  // whatever is not a webhook would be one
  { name: "status", matches: () => true }
]

export type Counts = ReadonlyMap<string, number>

/** The name of what an exchange was. */
export const kindOf = (exchange: Exchange, kinds: ReadonlyArray<Kind>): string =>
  kinds.find(({ matches }) => matches(exchange))?.name ?? "other"

const tally = (exchanges: ReadonlyArray<Exchange>, kinds: ReadonlyArray<Kind>): Counts => {
  const counts = new Map(kinds.map(({ name }) => [name, 0]))
  for (const exchange of exchanges) {
    const name = kindOf(exchange, kinds)
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}

export interface Requests {
  readonly kubernetes: Counts
  readonly aap: Counts
  readonly eda: Counts
  /** Answered with an error that has no place in a course of events where nothing is wrong. */
  readonly refused: ReadonlyArray<Exchange>
}

/** A conflict tells of a stale view; a cancel is repeated until the job has ended, and refused from then on. */
const isInOrder = ({ path, status }: Exchange): boolean =>
  status === 409 || ((status === 403 || status === 405) && path.endsWith("/cancel/"))

const isRefused = (exchange: Exchange): boolean => exchange.status >= 400 && !isInOrder(exchange)

export const countRequests = (
  kubernetes: ReadonlyArray<Exchange>,
  aap: ReadonlyArray<Exchange>,
  eda: ReadonlyArray<Exchange>
): Requests => ({
  kubernetes: tally(kubernetes, kubernetesKinds),
  aap: tally(aap, aapKinds),
  eda: tally(eda, edaKinds),
  refused: [...kubernetes, ...aap, ...eda].filter(isRefused)
})

/** For how long (milliseconds) at least one of the jobs was alive. */
const alive = (jobs: ReadonlyArray<LedgerJob>, now: number): number => {
  let total = 0
  let until = 0
  for (const job of jobs) {
    const { from, to } = lifetime(job)
    const end = Math.min(to, now)
    if (end > until) total += end - Math.max(from, until)
    until = Math.max(until, end)
  }
  return total
}

const POLL_INTERVAL = 1_000
/** A cancel pulls the next look forward, and the last look of a job comes after its end. */
const EXTRA_LOOKS = 4

/** One status request an interval and operator while any of its jobs lives, however many there are. */
const mostPolls = (ledger: ReadonlyArray<LedgerJob>, now: number): number => {
  const own = ledger.filter(({ workflow }) => workflow === undefined)
  // of whom nothing is launched at AAP, nobody asks AAP anything
  const operators = Map.groupBy(own, ({ object }) => object?.namespace)
  return [...operators.values()].reduce(
    (sum, jobs) => sum + Math.ceil(alive(jobs, now) / (0.95 * POLL_INTERVAL)) + EXTRA_LOOKS,
    0
  )
}

/** Each is looked up and checked once, before its first launch. */
const TEMPLATES = 3
/** One more look-up at the start of each operator that launches at AAP. */
const STARTS = 2

/** Sentences about what was asked more often than it should have been. */
export const judgeRequests = (
  { aap, eda, kubernetes, refused }: Requests,
  expected: {
    readonly launches: number
    readonly webhooks: number
    readonly ledger: ReadonlyArray<LedgerJob>
    readonly now: number
  }
): ReadonlyArray<string> => {
  const most = mostPolls(expected.ledger, expected.now)
  const of = (counts: Counts, name: string) => counts.get(name) ?? 0
  const claim = (holds: boolean, otherwise: string) => (holds ? [] : [otherwise])
  const webhooks = of(eda, "webhook to provision") + of(eda, "webhook to deprovision")
  return [
    ...claim(webhooks === expected.webhooks, `${webhooks} webhooks were called instead of ${expected.webhooks}`),
    ...claim(of(eda, "status") === 0, `EDA was asked ${of(eda, "status")} times for what it cannot tell`),
    ...claim(
      of(aap, "launch") === expected.launches,
      `${of(aap, "launch")} launches were sent instead of ${expected.launches}`
    ),
    ...claim(
      of(aap, "status, many jobs at once") <= most,
      `${of(aap, "status, many jobs at once")} status requests, at most ${most} were needed`
    ),
    ...claim(
      of(aap, "template look-up") <= TEMPLATES + STARTS && of(aap, "preflight") <= TEMPLATES,
      `the ${TEMPLATES} templates were looked up ${of(aap, "template look-up")} times and checked ${of(aap, "preflight")} times`
    ),
    ...claim(
      of(kubernetes, "read of one object") === 0,
      `${of(kubernetes, "read of one object")} reads of single resources, although the watch tells all`
    ),
    ...refused.map(({ method, path, status }) => `${method} ${path} was answered ${status}`)
  ]
}
