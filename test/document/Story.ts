/** One piece of the design document, told as a test: the commands of its blocks, and what must come of them. */
import { assert } from "@effect/vitest"
import type { Effect, Scope } from "effect"
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

/** That the messages come in this order, whatever comes in between, each with the fields people filter by. */
export const assertLogged = (site: Site, name: string, messages: ReadonlyArray<string | RegExp>): void => {
  const lines = linesAbout(site, name)
  let from = 0
  for (const message of messages) {
    const is = (line: JsonObject) => {
      const said = stringAt(line, "msg") ?? ""
      return typeof message === "string" ? said === message : message.test(said)
    }
    const found = lines.findIndex((line, index) => index >= from && is(line))
    assert.isAtLeast(found, 0, `${message} after ${from} of:\n${lines.map((line) => JSON.stringify(line)).join("\n")}`)
    from = found + 1
    if (!String(message).includes("triggering")) {
      assert.isString(lines[found]?.jobID, JSON.stringify(lines[found]))
      assert.isString(lines[found]?.state, JSON.stringify(lines[found]))
    }
  }
}

/** What was seen of a job of the status, one after the other, without repetitions. */
export const courseOf = (site: Site, name: string, job: "provisionJob" | "deprovisionJob"): ReadonlyArray<string> => {
  const said = site
    .seen(name)
    .map((status) => at(status, job))
    .filter((one) => one !== undefined)
    .map((one: Json) => `${stringAt(one, "state")}: ${stringAt(one, "message")}`)
  return said.filter((words, index) => words !== said[index - 1])
}

export const phasesOf = (site: Site, name: string): ReadonlyArray<string> => {
  const phases = site.seen(name).map((status) => stringAt(status, "phase") ?? "")
  return phases.filter((phase, index) => phase !== phases[index - 1])
}
