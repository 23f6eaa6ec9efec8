/**
 * Those who order machines and look at them: creates and deletes at a rate, and a watch that notes when each object was first
 * seen Ready and when it was gone. Through the wire that is not counted. All times are of the machine's clock.
 */
import { Agent, request } from "node:http"
import { Data, Effect, Schedule, type Scope } from "effect"
import { GROUP, KIND, PLURAL, VERSION } from "../../src/domain/ComputeInstance.ts"
import { fromUnknown, stringAt } from "../../test/support/kubernetes/Json.ts"
import { timeNow } from "../processes/Recorder.ts"
import { specOf } from "./sample.ts"

export class UserFailed extends Data.TaggedError("UserFailed")<{ readonly message: string }> {}

export interface Users {
  /** When the request to create the object was sent. */
  readonly created: ReadonlyMap<string, number>
  readonly deleted: ReadonlyMap<string, number>
  readonly ready: ReadonlyMap<string, number>
  readonly gone: ReadonlyMap<string, number>
  /** One after the other, `perSecond` of them; 0 is all at once. */
  readonly create: (names: ReadonlyArray<string>, perSecond: number) => Effect.Effect<void, UserFailed>
  readonly remove: (names: ReadonlyArray<string>, perSecond: number) => Effect.Effect<void, UserFailed>
}

const collection = `/apis/${GROUP}/${VERSION}/namespaces/default/${PLURAL}`
const agent = new Agent({ keepAlive: true, maxSockets: 64 })

const send = (url: string, method: string, body: string): Effect.Effect<void, UserFailed> =>
  Effect.callback<void, UserFailed>((resume) => {
    const fail = (message: string) => resume(Effect.fail(new UserFailed({ message: `${method} ${url}: ${message}` })))
    const headers = { "content-type": "application/json", "user-agent": "bench", authorization: "Bearer bench" }
    const outgoing = request(url, { method, agent, headers }, (answer) => {
      answer.resume()
      answer.on("end", () => {
        const { statusCode = 0 } = answer
        if (statusCode < 300) resume(Effect.void)
        else fail(`was answered ${statusCode}`)
      })
    })
    outgoing.on("error", (error) => fail(error.message))
    outgoing.end(body)
  })

/** Sends all of them, each at its time whatever became of those before. */
const paced = (
  names: ReadonlyArray<string>,
  perSecond: number,
  one: (name: string) => Effect.Effect<void, UserFailed>
): Effect.Effect<void, UserFailed> =>
  Effect.suspend(() => {
    const begun = timeNow()
    const at = (index: number) => (perSecond === 0 ? 0 : begun + (index * 1000) / perSecond - timeNow())
    return Effect.forEach(
      names,
      (name, index) => Effect.flatMap(Effect.sleep(Math.max(0, at(index))), () => one(name)),
      { concurrency: "unbounded", discard: true }
    )
  })

const lines = (url: string, take: (line: string) => void, from: string): Effect.Effect<void, UserFailed> =>
  Effect.callback<void, UserFailed>((resume) => {
    const path = `${url}${collection}?watch=true&timeoutSeconds=3600&resourceVersion=${from}`
    const outgoing = request(path, { headers: { authorization: "Bearer bench" } }, (answer) => {
      let rest = ""
      answer.setEncoding("utf8")
      answer.on("data", (chunk: string) => {
        const parts = (rest + chunk).split("\n")
        rest = parts.pop() ?? ""
        for (const part of parts) if (part !== "") take(part)
      })
      answer.on("end", () => resume(Effect.fail(new UserFailed({ message: "the watch of the benchmark ended" }))))
      answer.on("error", (error) => resume(Effect.fail(new UserFailed({ message: error.message }))))
    })
    outgoing.on("error", (error) => resume(Effect.fail(new UserFailed({ message: error.message }))))
    outgoing.end()
    return Effect.sync(() => outgoing.destroy())
  })

const versionOf = (url: string): Effect.Effect<string, UserFailed> =>
  Effect.tryPromise({
    try: async (signal) => {
      const answer = await fetch(`${url}${collection}?limit=1`, { headers: { authorization: "Bearer bench" }, signal })
      return stringAt(fromUnknown(await answer.json()), "metadata", "resourceVersion") ?? "0"
    },
    catch: (cause) => new UserFailed({ message: `the cluster does not list: ${String(cause)}` })
  })

const nameIn = (line: string): string => /"name":"([^"]+)"/u.exec(line)?.[1] ?? ""

export const makeUsers = (url: string): Effect.Effect<Users, UserFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const [created, deleted, ready, gone] = [
      new Map<string, number>(),
      new Map<string, number>(),
      new Map<string, number>(),
      new Map<string, number>()
    ]
    const take = (line: string) => {
      const at = timeNow()
      if (line.startsWith('{"type":"DELETED"')) gone.set(nameIn(line), at)
      else if (line.includes('"phase":"Ready"')) {
        const name = nameIn(line)
        if (!ready.has(name)) ready.set(name, at)
      }
    }
    yield* Effect.forkScoped(lines(url, take, yield* versionOf(url)), { startImmediately: true })

    const body = (name: string) =>
      JSON.stringify({
        apiVersion: `${GROUP}/${VERSION}`,
        kind: KIND,
        metadata: { name, namespace: "default" },
        spec: specOf(name)
      })
    return {
      created,
      deleted,
      ready,
      gone,
      create: (names, perSecond) =>
        paced(names, perSecond, (name) =>
          Effect.suspend(() => {
            created.set(name, timeNow())
            return send(`${url}${collection}`, "POST", body(name))
          })
        ),
      remove: (names, perSecond) =>
        paced(names, perSecond, (name) =>
          Effect.suspend(() => {
            deleted.set(name, timeNow())
            return send(`${url}${collection}/${name}`, "DELETE", "")
          })
        )
    }
  })

export const namesOf = (prefix: string, count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => `${prefix}-${String(index).padStart(6, "0")}`)

/** Looks every tenth of a second until it holds. */
export const until = (what: string, holds: () => boolean, seconds: number): Effect.Effect<void, UserFailed> =>
  Effect.suspend(() =>
    holds() ? Effect.void : Effect.fail(new UserFailed({ message: `${what} did not happen` }))
  ).pipe(Effect.retry({ schedule: Schedule.spaced("100 millis"), times: seconds * 10 }))
