/**
 * The simulated EDA against a real `ansible.eda.webhook` 2.13.0 (port 5000, no token) and `eda.builtin.webhook` (port 5001,
 * token set). Compared are the status, the headers a client may go by, the body, and the event the rules were given.
 */
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { everyFile, type Recording, readJson, recordings } from "../support/eda/Recordings.ts"
import * as SimulatedEda from "../support/SimulatedEda.ts"
import type { WireRequest } from "../support/Wire.ts"

const TOKEN = "s3cret"

/** Recordings that are not replayed, and why. The other files are compared by tests of their own. */
const leftOut: Readonly<Record<string, string>> = {
  "25-bad-utf8.txt": "the wire of the simulators carries text, and this body is none; answered 500",
  "33-gzip-ok.txt": "the wire of the simulators carries text, and this body is compressed; answered 200"
}
const others = ["ansible_eda-dump-token.json", "ansible_eda-dump-vm-0001.json", "received-events.json"]

const replayed = recordings.filter(({ file }) => !(file in leftOut))

const receiverFor = ({ url }: WireRequest): SimulatedEda.Options =>
  url.port === "5001" ? { token: TOKEN, source: "eda.builtin.webhook" } : {}

/** The answer, and the event that came of it. */
const ask = (request: WireRequest) =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const eda = yield* SimulatedEda.make(receiverFor(request))
        const answer = yield* eda.handler(request)
        const [event] = yield* eda.events
        return { answer, event }
      })
    )
  )

const compared = ["content-type", "content-length", "allow", "server"]
const only = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(compared.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])))

describe("the simulated EDA answers as the recorded one did", () => {
  it.each(replayed.map((recording) => [recording.file, recording] as const))("%s", async (_, recording: Recording) => {
    const { answer } = await ask(recording.request)
    expect({ status: answer.status, headers: only(answer.headers), body: answer.body }).toEqual({
      status: recording.status,
      headers: only(recording.headers),
      body: recording.body
    })
  })

  it("and leaves no recording out without a reason", () => {
    expect([...replayed.map(({ file }) => file), ...Object.keys(leftOut), ...others].toSorted()).toEqual(everyFile)
  })
})

// ── what the rules and the playbooks saw ─────────────────────────────────────────────────────────────────────────────

type Json = Readonly<Record<string, unknown>>
const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)
const at = (value: unknown, key: string): Json => {
  const inner = isJson(value) ? value[key] : undefined
  return isJson(inner) ? inner : {}
}

const BIG = "x".repeat(1_048_568)

/** Without what is the moment's, and with the long body that was left out of the record. */
const comparable = (event: unknown, withLength = true) => {
  const { headers, received_at, uuid, ...meta } = at(event, "meta")
  const names = Object.entries(isJson(headers) ? headers : {}).map(([name, value]) => [name.toLowerCase(), value])
  const payload = isJson(event) ? event.payload : undefined
  expect(received_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/u)
  expect(uuid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u)
  return {
    meta,
    headers: Object.fromEntries(names.filter(([name]) => withLength || name !== "content-length")),
    payload: isJson(payload) && payload.a === "<1048568 chars>" ? { a: BIG } : payload
  }
}

const headersIn = (event: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(at(at(event, "meta"), "headers")).map(([name, value]) => [name.toLowerCase(), String(value)])
  )

/** The request behind an event of which the request was not kept. */
const requestBehind = (event: unknown): WireRequest => {
  const headers = headersIn(event)
  return {
    method: "POST",
    url: new URL(`http://${headers.host}/${encodeURI(String(at(event, "meta").endpoint))}`),
    headers: { ...headers, authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify(comparable(event).payload)
  }
}

const events = readJson("received-events.json")
const received: ReadonlyArray<unknown> = Array.isArray(events) ? events : []
const accepted = replayed.filter(({ request, status }) => status === 200 && request.url.port === "5000")
const endpointOf = (event: unknown) => String(at(event, "meta").endpoint)
const nameOf = (event: unknown) => String(at(at(event, "payload"), "metadata").name ?? "")

describe("the rules are given what the recorded ones were", () => {
  it.each(accepted.map((recording) => [recording.file, recording] as const))("for %s", async (_, { file, request }) => {
    const { event } = await ask(request)
    const recorded = received.find((one) => endpointOf(one) === endpointOf(event) && nameOf(one) === nameOf(event))
    // a lower-case content-type was not handed on; that is a matter of spelling the wire of the simulators does not keep
    const spelled = file === "34-header-case.txt" ? { "content-type": "application/json" } : {}
    const expected = comparable(recorded)
    expect(comparable(event)).toEqual({ ...expected, headers: { ...expected.headers, ...spelled } })
  })

  it.each(received.map((event) => [`${endpointOf(event)} ${nameOf(event)}`, event] as const))(
    "when the request is made again from the event: %s",
    async (_, recorded) => {
      const { event } = await ask(requestBehind(recorded))
      expect(comparable(event)).toEqual(comparable(recorded))
    }
  )
})

describe("playbooks are given what the recorded ones were", () => {
  it.each(["ansible_eda-dump-vm-0001.json", "ansible_eda-dump-token.json"])("in %s", async (file) => {
    const recorded = at(readJson(file), "event")
    const { event } = await ask(requestBehind(recorded))
    expect(comparable(event, false)).toEqual(comparable(recorded, false))
  })
})
