/**
 * The simulated AAP against a real AWX 24.6.1: every recorded request, in order, on an installation in the same state.
 * Compared are the status, the headers a client may go by, and the body: keys, JSON types, and values.
 */
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { describe, expect, it } from "vitest"
import * as PatientClock from "../support/PatientClock.ts"
import type { SimulatedAap } from "../support/SimulatedAap.ts"
import type { WireResponse } from "../support/Wire.ts"
import { at, rows } from "./asking.ts"
import { differences } from "./difference.ts"
import { between, installation } from "./recordedInstallation.ts"
import { everyFile, type Recording, read, recordings } from "./recording.ts"

/** Recordings that are not replayed, and why. */
const leftOut: Readonly<Record<string, string>> = {
  "m00-eda-to-awx-access.requests": "an access log, no exchange: replayed as a whole by its own test below"
}

/** Values that differ for a reason, by recording. */
const excused: Readonly<Record<string, ReadonlyArray<RegExp>>> = {
  // The text of PyYAML's complaint; that of the JSON parser before it is compared below.
  "c09-launch-post-badvars.txt": [/extra_vars\[0\]$/],
  // Display names only a person reads.
  "a13-config.txt": [/become_methods\[\d+\]\[1\]$/],
  // The scheduler of the installation ran by hand, so it never came round to explain the queue.
  "k04-job-of-wf-node.txt": [/job_explanation$/]
}

const compared = ["content-type", "location", "allow", "www-authenticate", "vary", "content-language"]

const names = (headers: Readonly<Record<string, string>>): ReadonlyArray<string> =>
  Object.keys(headers)
    .filter((name) => name.startsWith("x-api-"))
    .toSorted()

const bodyOf = (text: unknown, headers: Readonly<Record<string, string>>): unknown => {
  if (typeof text !== "string") return "a stream"
  return headers["content-type"] === "application/json" ? JSON.parse(text) : text.trim()
}

const unlike = (recording: Recording, answer: WireResponse): ReadonlyArray<string> => [
  ...differences(recording.status, answer.status, "status"),
  ...compared.flatMap((name) => differences(recording.headers[name], answer.headers[name], name)),
  ...differences(names(recording.headers), names(answer.headers), "x-api"),
  ...differences(
    bodyOf(recording.body, recording.headers),
    bodyOf(answer.body, answer.headers),
    "$",
    excused[recording.file]
  )
]

/** Later things happen later: the clock follows the recorded dates. */
const until = (at: number) =>
  Effect.flatMap(
    Effect.clockWith((clock) => clock.currentTimeMillis),
    (now) => (at > now ? TestClock.setTime(at) : Effect.void)
  )

const launchedByEda = (aap: SimulatedAap) =>
  Effect.gen(function* () {
    yield* until(Date.parse("2026-11-21T11:07:23Z"))
    const statuses: Array<string> = []
    const bodies = ["m01-job-from-eda.txt", "m04-wfjobs-id-in.txt"].map((file) => {
      const recorded = recordings.find((recording) => recording.file === file)
      const body: unknown = JSON.parse(recorded?.body ?? "")
      const [row = at(body)] = rows({ json: at(body) })
      return JSON.stringify({ extra_vars: row.extra_vars })
    })
    for (const line of read("m00-eda-to-awx-access.requests").trim().split("\n")) {
      const [method = "", target = ""] = line.split(" ")
      const answer = yield* aap.handler({
        method,
        url: new URL(target, "http://awx.test"),
        headers: { authorization: "Bearer <admin>", "content-type": "application/json" },
        body: method === "POST" ? (bodies.shift() ?? "") : ""
      })
      statuses.push(`${method} ${target} ${answer.status}`)
    }
    return statuses
  })

const replay = Effect.gen(function* () {
  const found = new Map<string, ReadonlyArray<string>>()
  yield* TestClock.setTime(Date.parse("2026-11-21T11:02:42Z"))
  const aap = yield* installation
  let log: ReadonlyArray<string> = []
  for (const recording of recordings) {
    if (recording.file.startsWith("m01")) log = yield* launchedByEda(aap)
    yield* until(recording.at)
    yield* Effect.forEach(between[recording.file] ?? [], (change) => change(aap))
    found.set(recording.file, unlike(recording, yield* aap.handler(recording.request)))
  }
  return { found, log }
})

const { found, log } = await Effect.runPromise(replay.pipe(Effect.provide(PatientClock.layer())))

describe("the simulated AAP answers as the recorded one did", () => {
  it.each(recordings.map(({ file }) => file))("%s", (file) => {
    expect(found.get(file)).toEqual([])
  })

  it("in what Event-Driven Ansible asked of it", () => {
    const recorded = read("m00-eda-to-awx-access.requests")
      .trim()
      .split("\n")
      .map((line) => line.split(" ").slice(0, 3).join(" "))
    expect(log).toEqual(recorded)
  })

  it("leaves no recording out without a reason", () => {
    expect(found.size + Object.keys(leftOut).length).toBe(everyFile.length)
    expect(everyFile.filter((file) => !found.has(file))).toEqual(Object.keys(leftOut))
  })
})
