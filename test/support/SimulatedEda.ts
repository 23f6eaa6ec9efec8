/**
 * Event-Driven Ansible as the operator and the cluster see it: a webhook receiver, the rules behind it, and playbooks that
 * build machines and signal so on the object.
 *
 * `handler` answers HTTP as the recordings in `test/fixtures/eda` do. What an event sets going happens on the test's clock,
 * in the scope it was made in. `webhooks`, `runs` and `machines` are the ground truth, unseen by any client.
 *
 * Faults of the wire are not in here: wrap `handler` with `withFaults`. A busy receiver lets a request hang and accepts it
 * all the same, which is a `Delay` or, when the client has given up by then, a `Hang` with `after`.
 */
import { Clock, Effect, Scope } from "effect"
import type { Operation } from "../../src/domain/Job.ts"
import { type Cluster, makeHands, noHands } from "./eda/Hands.ts"
import { defaultPlaybook, type Event, follow, type Playbook, type Run, type Site } from "./eda/Playbook.ts"
import { type Received, receive } from "./eda/Receiver.ts"
import { type JsonObject, stringAt } from "./kubernetes/Json.ts"
import type { WireHandler, WireRequest } from "./Wire.ts"

export type { Event, Playbook, Run } from "./eda/Playbook.ts"

export const PROVISION_PATH = "create-compute-instance"
export const DEPROVISION_PATH = "delete-compute-instance"

export interface Options {
  /** Without it, nobody needs one. */
  readonly token?: string
  /** As the rulebook names its source. */
  readonly source?: "ansible.eda.webhook" | "eda.builtin.webhook"
  /** Where the playbooks find the objects. Without it, they build machines and signal nothing. */
  readonly cluster?: Cluster
}

/** One request as it reached the receiver. */
export interface Webhook {
  readonly at: number
  readonly method: string
  /** Without the leading slash. */
  readonly path: string
  readonly body: string
  readonly status: number
  /** An event came of it. */
  readonly accepted: boolean
  /** What a rule made of the event; undefined when none matched. */
  readonly event: Event | undefined
}

export interface SimulatedEda {
  readonly handler: WireHandler
  /** How events accepted from now on are followed; what is left out is as in `defaultPlaybook`. */
  readonly play: (decide: (event: Event) => Partial<Playbook>) => Effect.Effect<void>
  /** How the next event that a rule matches is followed, whatever `play` says. Several calls are for several events. */
  readonly playNext: (playbook: Partial<Playbook>) => Effect.Effect<void>
  /** Every request, oldest first. */
  readonly webhooks: Effect.Effect<ReadonlyArray<Webhook>>
  /** Every event as the rules saw it, oldest first, whether a rule matched or not. */
  readonly events: Effect.Effect<ReadonlyArray<JsonObject>>
  /** Every run of a playbook, oldest first, as things stand now. */
  readonly runs: Effect.Effect<ReadonlyArray<Run>>
  /** The config version of each machine that exists, by the uid of its object. */
  readonly machines: Effect.Effect<ReadonlyMap<string, string>>
}

const operations: Readonly<Record<string, Operation>> = {
  [PROVISION_PATH]: "provision",
  [DEPROVISION_PATH]: "deprovision"
}

/** The rules: the path names the operation, and only ComputeInstances are of interest. */
const matched = ({ endpoint, payload }: Received, before: ReadonlyArray<Webhook>): Event | undefined => {
  const operation = operations[endpoint]
  const uid = stringAt(payload, "metadata", "uid")
  if (operation === undefined || uid === undefined || stringAt(payload, "kind") !== "ComputeInstance") return undefined
  return {
    operation,
    uid,
    namespace: stringAt(payload, "metadata", "namespace") ?? "",
    name: stringAt(payload, "metadata", "name") ?? "",
    version: stringAt(payload, "status", "desiredConfigVersion") ?? "",
    n: 1 + before.filter(({ event }) => event?.operation === operation && event.uid === uid).length
  }
}

/** The event with what the rulebook adds: where and when it came from. */
const described = (received: Received, source: string, at: number, n: number): JsonObject => ({
  meta: {
    endpoint: received.endpoint,
    headers: received.headers,
    received_at: new Date(at).toISOString().replace("Z", "000Z"),
    source: { name: "hook", type: source },
    uuid: `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`
  },
  payload: received.payload
})

/** The receiver's memory, and how it takes a request. */
const makeReceiver = (options: Options, matches: (event: Event) => Effect.Effect<void>) => {
  const webhooks: Array<Webhook> = []
  const events: Array<JsonObject> = []

  const handler = Effect.fnUntraced(function* (request: WireRequest) {
    const at = yield* Clock.currentTimeMillis
    const { received, response } = receive(request, options.token)
    const event = received === undefined ? undefined : matched(received, webhooks)
    webhooks.push({
      at,
      method: request.method,
      path: request.url.pathname.slice(1),
      body: request.body,
      status: response.status,
      accepted: received !== undefined,
      event
    })
    if (received !== undefined) {
      events.push(described(received, options.source ?? "ansible.eda.webhook", at, events.length + 1))
    }
    if (event !== undefined) yield* matches(event)
    return response
  })
  return { webhooks, events, handler }
}

export const make = (options: Options = {}): Effect.Effect<SimulatedEda, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Scope.Scope
    const site: Site = { runs: [], machines: new Map() }
    const next: Array<Partial<Playbook>> = []
    let decide: (event: Event) => Partial<Playbook> = () => ({})

    const handsOf = (event: Event) => (refused: (what: string) => void) =>
      options.cluster === undefined ? noHands : makeHands(options.cluster, event, refused)

    const { events, handler, webhooks } = makeReceiver(options, (event) => {
      const playbook = { ...defaultPlaybook, ...(next.shift() ?? decide(event)) }
      return Effect.asVoid(
        Effect.forkIn(follow(site, handsOf(event), playbook, event), scope, { startImmediately: true })
      )
    })

    return {
      handler,
      play: (rule) =>
        Effect.sync(() => {
          decide = rule
        }),
      playNext: (playbook) => Effect.sync(() => void next.push(playbook)),
      webhooks: Effect.sync(() => webhooks.slice()),
      events: Effect.sync(() => events.slice()),
      runs: Effect.sync(() => site.runs.map((run) => ({ ...run, refusals: run.refusals.slice() }))),
      machines: Effect.sync(() => new Map(site.machines))
    }
  })

/** Every pair of runs for one object that went on at the same instant. */
export const overlaps = (runs: ReadonlyArray<Run>): ReadonlyArray<readonly [Run, Run]> =>
  runs.flatMap((first, index) =>
    runs
      .slice(index + 1)
      .filter((second) => {
        const from = Math.max(first.began, second.began)
        const to = Math.min(first.ended ?? Number.POSITIVE_INFINITY, second.ended ?? Number.POSITIVE_INFINITY)
        return first.uid === second.uid && from < to
      })
      .map((second) => [first, second] as const)
  )
