/** Starts simulators as processes of their own, and speaks with their control endpoints. */
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect, Schedule, Schema, type Scope } from "effect"
import { type Child, lastWords, ProcessFailed, start } from "./Child.ts"

export type Kind = "kubernetes" | "lean-kubernetes" | "aap" | "eda"

const Addresses = Schema.Struct({ url: Schema.String, open: Schema.String, control: Schema.String })

export interface Simulator {
  readonly pid: number
  /** The wire that is counted and suffers faults. */
  readonly url: string
  /** The same without either. */
  readonly open: string
  readonly get: <A>(path: string, decode: (body: unknown) => A) => Effect.Effect<A, ProcessFailed>
  readonly post: (path: string, body?: unknown) => Effect.Effect<void, ProcessFailed>
}

const entry = fileURLToPath(new URL("../simulator.ts", import.meta.url))

const exchange = (url: string, init: RequestInit): Effect.Effect<string, ProcessFailed> =>
  Effect.flatMap(
    Effect.tryPromise({
      try: async (signal) => {
        const answer = await fetch(url, { ...init, signal })
        return { status: answer.status, text: await answer.text() }
      },
      catch: (cause) => new ProcessFailed({ message: `${url} does not answer: ${String(cause)}` })
    }),
    ({ status, text }) =>
      status < 300
        ? Effect.succeed(text)
        : Effect.fail(new ProcessFailed({ message: `${url} answered ${status}: ${text.slice(0, 500)}` }))
  )

const decodeAddresses = Schema.decodeUnknownSync(Addresses)

/** Waits for the one line that a simulator prints. */
const addressesOf = (child: Child) =>
  Effect.suspend(() => {
    const [line = ""] = child.output().split("\n")
    return child.output().includes("\n")
      ? Effect.sync(() => decodeAddresses(JSON.parse(line)))
      : Effect.fail(new ProcessFailed({ message: `a simulator does not start:\n  ${lastWords(child.log)}` }))
  }).pipe(Effect.retry({ schedule: Schedule.spaced("50 millis"), times: 400 }))

/** `cluster` is where the playbooks of EDA find the objects. */
export const startSimulator = (
  kind: Kind,
  directory: string,
  cluster = ""
): Effect.Effect<Simulator, ProcessFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const child = yield* start({
      name: kind,
      program: process.execPath,
      parameters: ["--max-old-space-size=8000", entry, kind, cluster],
      env: { ...process.env, NO_PROXY: "127.0.0.1" },
      log: join(directory, `${kind}.log`),
      readsOutput: true
    })
    const { control, open, url } = yield* addressesOf(child)
    return {
      pid: child.pid,
      url,
      open,
      get: (path, decode) => Effect.map(exchange(`${control}${path}`, {}), (text) => decode(JSON.parse(text))),
      post: (path, body = {}) =>
        Effect.asVoid(exchange(`${control}${path}`, { method: "POST", body: JSON.stringify(body) }))
    }
  })

const Counts = Schema.Struct({
  counts: Schema.Record(Schema.String, Schema.Finite),
  refusals: Schema.Record(Schema.String, Schema.Finite)
})
export type Counts = typeof Counts.Type
const decodeCounts = Schema.decodeUnknownSync(Counts)
export const countsOf = (simulator: Simulator) => simulator.get("/counts", decodeCounts)

const Requests = Schema.Array(
  Schema.Struct({ began: Schema.Finite, ended: Schema.Finite, status: Schema.Int, path: Schema.String })
)
const decodeRequests = Schema.decodeUnknownSync(Requests)
export const requestsOf = (simulator: Simulator, kind: string) =>
  simulator.get(`/requests?kind=${encodeURIComponent(kind)}`, decodeRequests)

const Ledger = Schema.Array(
  Schema.Struct({
    id: Schema.Int,
    template: Schema.String,
    launchKey: Schema.String,
    uid: Schema.String,
    name: Schema.String,
    status: Schema.String,
    created: Schema.Finite,
    finished: Schema.Finite,
    cancelled: Schema.Int
  })
)
export type LedgerRow = (typeof Ledger.Type)[number]
const decodeLedger = Schema.decodeUnknownSync(Ledger)
export const ledgerOf = (aap: Simulator) => aap.get("/ledger", decodeLedger)
