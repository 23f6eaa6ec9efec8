/**
 * Those who order machines and look at them: creates and deletes at a rate, and a watch that notes when each object was first
 * seen Ready and when it was gone. Through the wire that is not counted. All times are of the machine's clock.
 */
import { readFileSync } from "node:fs"
import * as Http from "node:http"
import * as Https from "node:https"
import { Data, Effect, Option, Schedule, type Scope } from "effect"
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
const headers = { "content-type": "application/json", "user-agent": "bench", authorization: "Bearer bench" }

/** Where the objects are, and who vouches for it. */
type Request = (path: string, method: string, take: (answer: Http.IncomingMessage) => void) => Http.ClientRequest

const requestTo = (url: string, certificate: Option.Option<string>): Request => {
  const pooled = { keepAlive: true, maxSockets: 64 }
  if (Option.isNone(certificate)) {
    const agent = new Http.Agent(pooled)
    return (path, method, take) => Http.request(`${url}${collection}${path}`, { method, agent, headers }, take)
  }
  const agent = new Https.Agent({ ...pooled, ca: readFileSync(certificate.value) })
  return (path, method, take) => Https.request(`${url}${collection}${path}`, { method, agent, headers }, take)
}

const send = (request: Request, method: string, path: string, body: string): Effect.Effect<string, UserFailed> =>
  Effect.callback<string, UserFailed>((resume) => {
    const fail = (message: string) => resume(Effect.fail(new UserFailed({ message: `${method} ${path}: ${message}` })))
    const outgoing = request(path, method, (answer) => {
      let text = ""
      answer.setEncoding("utf8")
      answer.on("data", (chunk: string) => {
        text += chunk
      })
      answer.on("end", () => {
        const { statusCode = 0 } = answer
        if (statusCode < 300) resume(Effect.succeed(text))
        else fail(`was answered ${statusCode}: ${text.slice(0, 500)}`)
      })
    })
    outgoing.on("error", (error) => fail(error.message))
    outgoing.end(body)
  })

/** Sends all of them, each at its time whatever became of those before. */
const paced = (
  names: ReadonlyArray<string>,
  perSecond: number,
  one: (name: string) => Effect.Effect<unknown, UserFailed>
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

const lines = (request: Request, take: (line: string) => void, from: string): Effect.Effect<void, UserFailed> =>
  Effect.callback<void, UserFailed>((resume) => {
    const path = `?watch=true&timeoutSeconds=3600&resourceVersion=${from}`
    const outgoing = request(path, "GET", (answer) => {
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

const versionOf = (request: Request): Effect.Effect<string, UserFailed> =>
  Effect.map(
    send(request, "GET", "?limit=1", ""),
    (text) => stringAt(fromUnknown(JSON.parse(text)), "metadata", "resourceVersion") ?? "0"
  )

const nameIn = (line: string): string => /"name":"([^"]+)"/u.exec(line)?.[1] ?? ""

interface Where {
  readonly kubernetes: { readonly open: string }
  readonly certificate: Option.Option<string>
}

export const makeUsers = ({ certificate, kubernetes }: Where): Effect.Effect<Users, UserFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const request = requestTo(kubernetes.open, certificate)
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
    yield* Effect.forkScoped(lines(request, take, yield* versionOf(request)), { startImmediately: true })

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
            return send(request, "POST", "", body(name))
          })
        ),
      remove: (names, perSecond) =>
        paced(names, perSecond, (name) =>
          Effect.suspend(() => {
            deleted.set(name, timeNow())
            return send(request, "DELETE", `/${name}`, "")
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
