/** For every alert a course of events in which it fires, and the nearest ones in which it must not. */

/** `series` → values in Prometheus's notation, a minute apart: `0+2x30` counts up by two for half an hour. */
type Series = Readonly<Record<string, string>>

export interface Case {
  readonly alert: string
  readonly why: string
  readonly series: Series
  /** Minutes after the beginning. */
  readonly at: number
  /** How many alerts of the name fire then. */
  readonly fires: number
}

const one = (name: string, labels = "", pod = "a"): string =>
  `${name}{namespace="n",pod="${pod}"${labels === "" ? "" : `,${labels}`}}`

const fires = (alert: string, why: string, at: number, series: Series, count = 1): Case => ({
  alert,
  why,
  series,
  at,
  fires: count
})
const quiet = (alert: string, why: string, at: number, series: Series): Case => fires(alert, why, at, series, 0)

const leads = (pod: string) => one("leader_election_master_status", 'name="cloudkit-operator-leader"', pod)
const pass = (result: string) =>
  one("controller_runtime_reconcile_total", `controller="computeinstance",result="${result}"`)
const depth = one("workqueue_depth", 'name="computeinstance"')
const longest = one("workqueue_longest_running_processor_seconds", 'name="computeinstance"')
const watchFailures = one("cloudkit_watch_failures_total", 'activity="watch"')

const operator: ReadonlyArray<Case> = [
  fires("CloudkitOperatorDown", "nothing is scraped", 6, {}),
  fires("CloudkitOperatorDown", "it went away", 20, { [one("cloudkit_build_info")]: "1x5 _x30 stale" }),
  quiet("CloudkitOperatorDown", "one replica is there", 30, { [one("cloudkit_build_info")]: "1x40" }),
  fires("CloudkitNoLeader", "both stand by", 5, { [leads("a")]: "0x40", [leads("b")]: "0x40" }),
  quiet("CloudkitNoLeader", "one works", 30, { [leads("a")]: "0x40", [leads("b")]: "1x40" }),
  quiet("CloudkitNoLeader", "a hand-over of a minute", 11, { [leads("a")]: "1x9 0x30", [leads("b")]: "0x10 1x30" }),
  fires("CloudkitSeveralLeaders", "no election", 5, { [leads("a")]: "1x40", [leads("b")]: "1x40" }),
  quiet("CloudkitSeveralLeaders", "one works", 30, { [leads("a")]: "0x40", [leads("b")]: "1x40" }),
  fires("CloudkitReconcileErrors", "every third pass fails", 30, {
    [pass("error")]: "0+10x40",
    [pass("success")]: "0+20x40"
  }),
  quiet("CloudkitReconcileErrors", "one in ten", 30, { [pass("error")]: "0+10x40", [pass("success")]: "0+90x40" }),
  quiet("CloudkitReconcileErrors", "nothing happens at all", 30, {
    [pass("error")]: "7x40",
    [pass("success")]: "9x40"
  }),
  fires("CloudkitWorkqueueBacklog", "many wait", 20, { [depth]: "501x40" }),
  quiet("CloudkitWorkqueueBacklog", "a burst that is worked off", 20, { [depth]: "5000x5 0x30" }),
  fires("CloudkitPassStuck", "a pass does not end", 20, { [longest]: "0+60x40" }),
  quiet("CloudkitPassStuck", "passes of a minute", 20, { [longest]: "60x40" }),
  fires("CloudkitWatchFailing", "one failure a minute", 30, { [watchFailures]: "0+1x40" }),
  quiet("CloudkitWatchFailing", "an API server that restarted", 30, { [watchFailures]: "0x15 4x30" })
]

const aap = (operation: string, code: string) =>
  one("cloudkit_aap_requests_total", `operation="${operation}",code="${code}"`)
const lastPoll = one("cloudkit_aap_last_successful_poll_timestamp_seconds")
const running = one("cloudkit_jobs", 'type="provision",state="Running"')
const eda = (code: string) => one("cloudkit_eda_requests_total", `code="${code}"`)

const providers: ReadonlyArray<Case> = [
  fires("CloudkitAapUnreachable", "connections are refused", 40, {
    [aap("list_jobs", "<error>")]: "0+1x60",
    [aap("list_jobs", "200")]: "100x60"
  }),
  fires("CloudkitAapUnreachable", "a proxy answers 503, asked every five minutes", 40, {
    [aap("list_jobs", "503")]: "1x5 2x5 3x5 4x5 5x5 6x5 7x5 8x5"
  }),
  quiet("CloudkitAapUnreachable", "most requests succeed", 40, {
    [aap("list_jobs", "<error>")]: "0+1x60",
    [aap("launch", "201")]: "0+1x60"
  }),
  quiet("CloudkitAapUnreachable", "AAP says no, but it speaks", 40, { [aap("list_jobs", "401")]: "0+1x60" }),
  fires("CloudkitAapCredentialsRejected", "the token expired", 20, { [aap("list_jobs", "401")]: "0+1x60" }),
  quiet("CloudkitAapCredentialsRejected", "it was mended long ago", 40, { [aap("list_jobs", "401")]: "0+1x5 5x60" }),
  fires("CloudkitAapPollLag", "no answer since the beginning", 40, { [lastPoll]: "0x60", [running]: "3x60" }),
  quiet("CloudkitAapPollLag", "there is nothing to ask", 40, { [lastPoll]: "0x60", [running]: "0x60" }),
  quiet("CloudkitAapPollLag", "polled by the minute", 40, { [lastPoll]: "0+60x60", [running]: "3x60" }),
  quiet("CloudkitAapPollLag", "the other replica stands by", 40, {
    [lastPoll]: "0+60x60",
    [one("cloudkit_aap_last_successful_poll_timestamp_seconds", "", "b")]: "0x60",
    [running]: "3x60"
  }),
  fires("CloudkitEdaWebhooksFailing", "every call is refused", 30, { [eda("500")]: "0+1x60" }),
  quiet("CloudkitEdaWebhooksFailing", "calls are accepted", 30, { [eda("200")]: "0+5x60", [eda("500")]: "0x10 1x50" })
]

const duplicates = one("cloudkit_duplicate_jobs_total")
const ambiguous = one("cloudkit_launch_ambiguous_total")
const open = one("cloudkit_open_launch_intents")
const ended = (state: string) => one("cloudkit_job_duration_seconds_count", `type="provision",state="${state}"`)
const overdue = one("cloudkit_computeinstance_conditions", 'type="Stalled",reason="JobDeadlineExceeded"')

const jobs: ReadonlyArray<Case> = [
  fires("CloudkitDuplicateJobs", "one job too many", 30, { [duplicates]: "0x20 1x40" }),
  quiet("CloudkitDuplicateJobs", "none", 30, { [duplicates]: "0x60" }),
  quiet("CloudkitDuplicateJobs", "one, yesterday", 180, { [duplicates]: "0x20 1x180" }),
  fires("CloudkitLaunchesAmbiguous", "ten lost answers", 20, { [ambiguous]: "0x10 10x40" }),
  quiet("CloudkitLaunchesAmbiguous", "a single one", 20, { [ambiguous]: "0x10 1x40" }),
  fires("CloudkitLaunchUnresolved", "open for an hour", 60, { [open]: "0x10 1x60" }),
  quiet("CloudkitLaunchUnresolved", "resolved after five minutes", 60, { [open]: "0x10 1x5 0x60" }),
  fires("CloudkitJobsFail", "most fail", 80, { [ended("Failed")]: "0+1x90", [ended("Succeeded")]: "0x90" }),
  quiet("CloudkitJobsFail", "one in four", 80, { [ended("Failed")]: "0+1x90", [ended("Succeeded")]: "0+3x90" }),
  quiet("CloudkitJobsFail", "two jobs say little", 80, {
    [ended("Failed")]: "0x40 2x50",
    [ended("Succeeded")]: "0x90"
  }),
  fires("CloudkitJobDeadlineExceeded", "a playbook hangs", 20, { [overdue]: "0x5 1x40" }),
  quiet("CloudkitJobDeadlineExceeded", "none", 20, { [overdue]: "0x40" })
]

const oldest = (phase: string) => one("cloudkit_computeinstances_oldest_seconds", `phase="${phase}"`)
const blocked = (reason: string) =>
  one("cloudkit_computeinstance_conditions", `type="DeletionBlocked",reason="${reason}"`)

const objects: ReadonlyArray<Case> = [
  fires("CloudkitNewNotPickedUp", "nobody looks at it", 30, { [oldest("New")]: "0+60x60" }),
  quiet("CloudkitNewNotPickedUp", "new ones come and go", 30, { [oldest("New")]: "2x60" }),
  fires("CloudkitStuckProgressing", "five hours", 300, { [oldest("Progressing")]: "0+60x300" }),
  quiet("CloudkitStuckProgressing", "three hours", 180, { [oldest("Progressing")]: "0+60x180" }),
  fires("CloudkitStuckDeleting", "three hours", 180, { [oldest("Deleting")]: "0+60x180" }),
  quiet("CloudkitStuckDeleting", "one hour", 60, { [oldest("Deleting")]: "0+60x60" }),
  fires(
    "CloudkitDeletionBlocked",
    "two reasons, counted by both replicas",
    20,
    {
      [blocked("DeprovisionFailed")]: "2x40",
      [one("cloudkit_computeinstance_conditions", 'type="DeletionBlocked",reason="DeprovisionFailed"', "b")]: "2x40",
      [blocked("ManualDeletion")]: "1x40"
    },
    2
  ),
  quiet("CloudkitDeletionBlocked", "mended at once", 20, { [blocked("DeprovisionFailed")]: "1x2 0x40" })
]

export const cases: ReadonlyArray<Case> = [...operator, ...providers, ...jobs, ...objects]
