/**
 * What goes wrong on both wires while the soak goes on, each with its own probability at each request: of Kubernetes at all
 * times, of AAP in squalls, as a failed launch shuts the gate that all launches wait at for seconds. Nothing takes longer than
 * the quiet period that the operator is given here, as that is where its promise ends.
 */
import { Deferred, Effect, type Scope, Stream } from "effect"
import { type FaultyWire, type Harm, withFaults } from "../../test/support/Faults.ts"
import { aapHarm, aapRequests, kubernetesHarm, kubernetesRequests } from "../../test/support/schedulesHarms.ts"
import { ConnectionLost, json, text, type WireHandler, type WireRequest } from "../../test/support/Wire.ts"
import type { Chance } from "./Chance.ts"
import type { Site } from "./Site.ts"

interface Trouble {
  readonly name: string
  readonly probability: number
  readonly when: (request: WireRequest) => boolean
  readonly harm: Harm
}

const shortly = { "retry-after": "1" }
const throttled: Harm = { _tag: "Answer", response: json(429, { detail: "Request was throttled." }, shortly) }
const busy: Harm = { _tag: "Answer", response: json(503, { detail: "busy" }, shortly) }
/** A proxy gives up before AAP does what it was asked. */
const late: Harm = { _tag: "CommitLate", by: "700 millis", answer: text(504, "<html></html>", "text/html") }
const slow: Harm = { _tag: "Delay", by: "500 millis" }

const any = () => true
const changes = (request: WireRequest) => kubernetesRequests.metadata(request) || kubernetesRequests.status(request)
const isWatch = ({ method, url }: WireRequest) => method === "GET" && url.searchParams.has("watch")

const onAap: ReadonlyArray<Trouble> = [
  { name: "late", probability: 0.03, when: aapRequests.launch, harm: late },
  ...(["failureAfter", "gatewayAfter", "resetAfter", "hangAfter"] as const).flatMap((name) =>
    [aapRequests.launch, aapRequests.cancel].map((when) => ({ name, probability: 0.03, when, harm: aapHarm(name) }))
  ),
  ...(["resetBefore", "hang", "truncated"] as const).map((name) => ({
    name,
    probability: 0.02,
    when: aapRequests.launch,
    harm: aapHarm(name)
  })),
  { name: "401", probability: 0.005, when: any, harm: aapHarm("unauthorized") },
  { name: "429", probability: 0.01, when: any, harm: throttled },
  { name: "503", probability: 0.01, when: any, harm: busy },
  { name: "500", probability: 0.01, when: any, harm: aapHarm("failure") },
  { name: "502", probability: 0.01, when: any, harm: aapHarm("gateway") },
  { name: "reset", probability: 0.01, when: any, harm: aapHarm("resetBefore") },
  { name: "truncated", probability: 0.01, when: any, harm: aapHarm("truncated") },
  { name: "slow", probability: 0.02, when: any, harm: slow }
]

const onKubernetes: ReadonlyArray<Trouble> = [
  ...(["conflict", "failure", "failureAfter", "resetBefore", "resetAfter"] as const).map((name) => ({
    name,
    probability: 0.01,
    when: changes,
    harm: kubernetesHarm(name)
  })),
  { name: "500", probability: 0.005, when: kubernetesRequests.read, harm: kubernetesHarm("failure") },
  { name: "expired", probability: 0.03, when: isWatch, harm: kubernetesHarm("expired") },
  { name: "slow", probability: 0.01, when: changes, harm: slow }
]

const order = (wire: FaultyWire, of: string, troubles: ReadonlyArray<Trouble>, strikes: (p: number) => boolean) =>
  Effect.forEach(
    troubles,
    ({ harm, name, probability, when }) =>
      wire.order({
        name: `${of} ${name}`,
        when: (request) => when(request) && strikes(probability),
        times: Number.POSITIVE_INFINITY,
        harm
      }),
    { discard: true }
  )

/** Watches break off, all at once. */
const makeCuts = (inner: WireHandler) => {
  let cut = Deferred.makeUnsafe<never, ConnectionLost>()
  let times = 0
  const handler: WireHandler = (request) =>
    Effect.map(inner(request), (response) =>
      typeof response.body === "string"
        ? response
        : { ...response, body: Stream.interruptWhen(response.body, Deferred.await(cut)) }
    )
  const strike = Effect.suspend(() => {
    const before = cut
    cut = Deferred.makeUnsafe()
    times += 1
    return Deferred.fail(before, new ConnectionLost({ code: "ECONNRESET" }))
  })
  return { handler, strike, times: () => times }
}

export interface Weather {
  readonly aap: WireHandler
  readonly cluster: WireHandler
  /** From now on everything works. */
  readonly clear: Effect.Effect<void>
  readonly suffered: () => ReadonlyArray<readonly [string, number]>
}

export const makeWeather = (site: Site, chance: Chance): Effect.Effect<Weather, never, Scope.Scope> =>
  Effect.gen(function* () {
    const aap = yield* withFaults(site.aap.handler)
    const cluster = yield* withFaults(site.cluster)
    let isSquall = true
    yield* order(aap, "AAP", onAap, (probability) => isSquall && chance.happens(probability))
    yield* order(cluster, "Kubernetes", onKubernetes, chance.happens)
    const squall = Effect.gen(function* () {
      isSquall = true
      yield* Effect.sleep(chance.between(2_000, 4_000))
      isSquall = false
      yield* Effect.sleep(chance.between(12_000, 20_000))
    })
    yield* Effect.forkScoped(Effect.forever(squall))
    const cuts = makeCuts(cluster.handler)
    let isStormy = true
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.andThen(
          Effect.suspend(() => Effect.sleep(chance.between(1_000, 8_000))),
          Effect.suspend(() => (isStormy ? cuts.strike : Effect.void))
        )
      )
    )
    // what the wires remember of every request is not needed
    yield* Effect.forkScoped(
      Effect.forever(Effect.andThen(Effect.sleep("5 seconds"), Effect.andThen(aap.forget, cluster.forget)))
    )
    return {
      aap: aap.handler,
      cluster: cuts.handler,
      clear: Effect.andThen(
        Effect.sync(() => {
          isStormy = false
        }),
        Effect.andThen(aap.heal, cluster.heal)
      ),
      suffered: () => [...aap.suffered(), ...cluster.suffered(), ["Kubernetes watches cut", cuts.times()]]
    }
  })
