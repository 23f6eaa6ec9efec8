/**
 * The control endpoint of a simulator that runs as a process of its own: what it counted, what it knows to be true, and
 * the faults it is to suffer. On a port of its own, so that nothing asked here is counted.
 *
 * `GET /counts` `GET /requests?kind=…` `GET /usage` · `POST /reset` `POST /faults` `POST /heal` · and what each simulator adds.
 */
import { Effect, Schema } from "effect"
import type { FaultyWire } from "../../test/support/Faults.ts"
import { ConnectionLost, json, type WireHandler, type WireRequest, type WireResponse } from "../../test/support/Wire.ts"
import type { Recorder } from "./Recorder.ts"

/** Answers to `METHOD /path`, by that text; the body is the request's JSON. */
export type Routes = Readonly<Record<string, (body: unknown, query: URLSearchParams) => Effect.Effect<unknown>>>

const Answer = Schema.Struct({
  status: Schema.Int,
  headers: Schema.Record(Schema.String, Schema.String),
  body: Schema.String
})
const after = Schema.optionalKey(Schema.Boolean)

/** A fault as it is ordered over HTTP: regular expressions of what it harms, and the harm with durations in milliseconds. */
const OrderedFault = Schema.Struct({
  method: Schema.optionalKey(Schema.String),
  path: Schema.optionalKey(Schema.String),
  query: Schema.optionalKey(Schema.String),
  times: Schema.optionalKey(Schema.Int),
  harm: Schema.Union([
    Schema.TaggedStruct("Answer", { response: Answer, after }),
    Schema.TaggedStruct("Lose", { code: Schema.String, after }),
    Schema.TaggedStruct("Delay", { by: Schema.Finite, after }),
    Schema.TaggedStruct("Hang", { after }),
    Schema.TaggedStruct("CommitLate", {
      by: Schema.Finite,
      answer: Schema.Union([Answer, Schema.Struct({ code: Schema.String })])
    }),
    Schema.TaggedStruct("Truncate", { characters: Schema.Int })
  ])
})
export type OrderedFault = typeof OrderedFault.Type

const decodeFault = Schema.decodeUnknownEffect(OrderedFault)

const order = (wire: FaultyWire, fault: OrderedFault) => {
  const { harm, method, path = "", query = "", times = 1 } = fault
  const [inPath, inQuery] = [new RegExp(path, "u"), new RegExp(query, "u")]
  const when = (request: WireRequest) =>
    (method === undefined || request.method === method) &&
    inPath.test(request.url.pathname) &&
    inQuery.test(decodeURIComponent(request.url.search))
  if (harm._tag !== "CommitLate") return wire.order({ when, times, harm })
  const { answer, by } = harm
  return wire.order({
    when,
    times,
    harm: { _tag: "CommitLate", by, answer: "code" in answer ? new ConnectionLost(answer) : answer }
  })
}

const usage = () => {
  const { system, user } = process.cpuUsage()
  return { cpuSeconds: (system + user) / 1e6, rssBytes: process.memoryUsage.rss() }
}

const common = (wire: FaultyWire, recorder: Recorder): Routes => ({
  "GET /counts": () => Effect.sync(() => ({ counts: recorder.counts(), refusals: recorder.refusals() })),
  "GET /requests": (_, query) => Effect.sync(() => recorder.requests(query.get("kind") ?? "")),
  "GET /usage": () => Effect.sync(usage),
  "POST /reset": () => Effect.as(wire.forget, recorder.reset()),
  "POST /faults": (body) => Effect.orDie(Effect.flatMap(decodeFault(body), (fault) => order(wire, fault))),
  "POST /heal": () => wire.heal
})

const answered = (value: unknown): WireResponse => json(200, value ?? {})

export const controlOf =
  (wire: FaultyWire, recorder: Recorder, own: Routes): WireHandler =>
  ({ body, method, url }) => {
    const route = { ...common(wire, recorder), ...own }[`${method} ${url.pathname}`]
    if (route === undefined) return Effect.succeed(json(404, { message: `no ${method} ${url.pathname} here` }))
    const given: unknown = body === "" ? {} : JSON.parse(body)
    return Effect.map(route(given, url.searchParams), answered)
  }
