/** One piece of the design document, told as a test: the commands of its blocks, and what must come of them. */
import { assert } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { eventually } from "../support/eventually.ts"
import { at, type Json, type JsonObject, stringAt } from "../support/kubernetes/Json.ts"
import type { Site } from "./Site.ts"

export interface Story {
  /** A sentence of the specification, and the name of the test. */
  readonly name: string
  /** Numbers of the blocks whose every command it goes through. */
  readonly blocks: ReadonlyArray<number>
  /** Headings of the product's own pages, with the page before: `docs/migration.md Go back`. */
  readonly sections?: ReadonlyArray<string>
  readonly tell: (site: Site) => Effect.Effect<void, never, Scope.Scope>
}

/** The lines about an object, as `message jobID state`. */
const linesAbout = (site: Site, name: string): ReadonlyArray<JsonObject> =>
  site.log().filter((line) => line.computeinstance === `${site.namespace}/${name}`)

export const messagesAbout = (site: Site, name: string): ReadonlyArray<string> =>
  linesAbout(site, name).map((line) => stringAt(line, "msg") ?? "")

/** The lines with these messages in this order, whatever comes in between, up to the first that is missing. */
const found = (
  lines: ReadonlyArray<JsonObject>,
  messages: ReadonlyArray<string | RegExp>
): ReadonlyArray<JsonObject> => {
  let from = 0
  const inOrder: Array<JsonObject> = []
  for (const message of messages) {
    const is = (line: JsonObject) => {
      const said = stringAt(line, "msg") ?? ""
      return typeof message === "string" ? said === message : message.test(said)
    }
    const at = lines.findIndex((line, index) => index >= from && is(line))
    const line = lines[at]
    if (line === undefined) break
    inOrder.push(line)
    from = at + 1
  }
  return inOrder
}

/**
 * That the messages come in this order, whatever comes in between, each with the fields people filter by. They are waited for:
 * the operator tells the cluster first, and then the log.
 */
export const assertLogged = Effect.fnUntraced(function* (
  site: Site,
  name: string,
  messages: ReadonlyArray<string | RegExp>
) {
  const look = Effect.sync(() => {
    const lines = linesAbout(site, name)
    const inOrder = found(lines, messages)
    return { missing: messages.slice(inOrder.length).map(String), inOrder, lines }
  })
  const { inOrder } = yield* eventually(`lines about ${name}`, look, ({ missing }) => missing.length === 0)
  for (const line of inOrder.filter((one) => !stringAt(one, "msg")?.includes("triggering"))) {
    assert.isString(line.jobID, JSON.stringify(line))
    assert.isString(line.state, JSON.stringify(line))
  }
})

/** That what was printed of a log is what was in it then, which is no less than `before` and no more than `after`. */
export const assertBetween = <A>(
  before: ReadonlyArray<A>,
  printed: ReadonlyArray<A>,
  after: ReadonlyArray<A>
): void => {
  assert.deepStrictEqual(printed.slice(0, before.length), before)
  assert.deepStrictEqual(printed, after.slice(0, printed.length))
}

/** What the statuses said of a job, one after the other, without repetitions. */
export const courseOf = (
  statuses: ReadonlyArray<JsonObject>,
  job: "provisionJob" | "deprovisionJob"
): ReadonlyArray<string> => {
  const said = statuses
    .map((status) => at(status, job))
    .filter((one) => one !== undefined)
    .map((one: Json) => `${stringAt(one, "state")}: ${stringAt(one, "message")}`)
  return said.filter((words, index) => words !== said[index - 1])
}

export const phasesOf = (statuses: ReadonlyArray<JsonObject>): ReadonlyArray<string> => {
  const phases = statuses.map((status) => stringAt(status, "phase") ?? "")
  return phases.filter((phase, index) => phase !== phases[index - 1])
}
