/**
 * What an event sets going, and everything that can go wrong with it: the rulebook decides how often the playbook runs, and
 * the playbook builds or removes the machine and signals so on the object, or fails to.
 */
import { Clock, Duration, Effect } from "effect"
import type { Operation } from "../../../src/domain/Job.ts"
import type { Hands } from "./Hands.ts"

export interface Playbook {
  /** From the acceptance of the event to the start of the run: the rulebook was busy. */
  readonly startsAfter: Duration.Input
  /** The run starts when this is over, too. */
  readonly begins?: Effect.Effect<void>
  /** From the start to the end of the work, when the machine is there, or gone. */
  readonly worksFor: Duration.Input
  /** From the end of the work to the signal. */
  readonly signalsAfter: Duration.Input
  /** Only a successful run changes the machine and signals. */
  readonly ends: "successful" | "failed" | "never"
  /** How often the rule fires for one event, one run after the other. 0: the event is lost. */
  readonly runs: number
  /** When a provision puts the playbooks' finalizer on. */
  readonly finalizer: "atStart" | "atEnd" | "notAtAll"
  /** Whether a provision sets the annotation in the end. */
  readonly annotates: boolean
  /** A provision names this older version in the annotation halfway through its work. */
  readonly olderVersion?: string
  /** Whether a deprovision takes the playbooks' finalizers off. */
  readonly releases: boolean
  /** Whether a deprovision sets the annotation that says so in words. */
  readonly marksDeprovisioned: boolean
}

export const defaultPlaybook: Playbook = {
  startsAfter: "1 second",
  worksFor: "30 seconds",
  signalsAfter: 0,
  ends: "successful",
  runs: 1,
  finalizer: "atStart",
  annotates: true,
  releases: true,
  marksDeprovisioned: false
}

/** An accepted event that a rule matched, as the rule given to `play` sees it. */
export interface Event {
  readonly operation: Operation
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** `status.desiredConfigVersion` of the payload. */
  readonly version: string
  /** Counts the events of this operation for this object, from 1. */
  readonly n: number
}

/** One run of a playbook. */
export interface Run {
  readonly operation: Operation
  readonly uid: string
  readonly name: string
  readonly version: string
  readonly began: number
  /** After its last signal; undefined while it runs. */
  ended: number | undefined
  outcome: "running" | "successful" | "failed"
  /** What the API server refused it, such as a finalizer on an object that is being deleted. */
  readonly refusals: Array<string>
}

/** What the playbooks change besides the object. */
export interface Site {
  readonly runs: Array<Run>
  /** Version of each machine that exists, by the uid of its object. */
  readonly machines: Map<string, string>
}

const provision = Effect.fnUntraced(function* (site: Site, hands: Hands, playbook: Playbook, event: Event) {
  if (playbook.finalizer === "atStart") yield* hands.hold
  if (playbook.olderVersion === undefined) yield* Effect.sleep(playbook.worksFor)
  else {
    const { olderVersion } = playbook
    yield* halfway(playbook.worksFor, hands.reconciled(olderVersion))
  }
  if (playbook.ends === "failed") return
  site.machines.set(event.uid, event.version)
  yield* Effect.sleep(playbook.signalsAfter)
  if (playbook.annotates) yield* hands.reconciled(event.version)
  if (playbook.finalizer === "atEnd") yield* hands.hold
})

const halfway = (duration: Duration.Input, act: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const half = Duration.times(Duration.fromInputUnsafe(duration), 0.5)
    yield* Effect.sleep(half)
    yield* act
    yield* Effect.sleep(half)
  })

const deprovision = Effect.fnUntraced(function* (site: Site, hands: Hands, playbook: Playbook, event: Event) {
  yield* Effect.sleep(playbook.worksFor)
  if (playbook.ends === "failed") return
  site.machines.delete(event.uid)
  yield* Effect.sleep(playbook.signalsAfter)
  if (playbook.marksDeprovisioned) yield* hands.deprovisioned
  if (playbook.releases) yield* hands.release
})

const once = Effect.fnUntraced(function* (
  site: Site,
  handsOf: (refused: (what: string) => void) => Hands,
  playbook: Playbook,
  event: Event
) {
  const { operation, uid, name, version } = event
  const began = yield* Clock.currentTimeMillis
  const run: Run = { operation, uid, name, version, began, ended: undefined, outcome: "running", refusals: [] }
  site.runs.push(run)
  if (playbook.ends === "never") return yield* Effect.never
  const hands = handsOf((what) => run.refusals.push(what))
  yield* (operation === "provision" ? provision : deprovision)(site, hands, playbook, event)
  run.outcome = playbook.ends
  run.ended = yield* Clock.currentTimeMillis
})

/** Everything that follows from one event. */
export const follow = Effect.fnUntraced(function* (
  site: Site,
  handsOf: (refused: (what: string) => void) => Hands,
  playbook: Playbook,
  event: Event
) {
  yield* Effect.sleep(playbook.startsAfter)
  yield* playbook.begins ?? Effect.void
  for (let n = 0; n < playbook.runs; n++) yield* once(site, handsOf, playbook, event)
})
