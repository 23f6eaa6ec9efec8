/**
 * Answers the kubelet's probes on a port of their own: `/livez` (and `/healthz`) while the process does its work, `/readyz`
 * once it knows the world. The body says what it does, or why it cannot.
 */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer, Option } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import type { ServeError } from "effect/http/HttpServerError"

/** What the probes are answered from. */
export interface Signs {
  /** The copy of the world is complete. */
  readonly synced: boolean
  /** Why it is not complete or not the latest, as far as that is known. */
  readonly watching: Option.Option<string>
  /** None: there is no election. */
  readonly election: Option.Option<{
    readonly leads: boolean
    readonly holder: string
    readonly problem: Option.Option<string>
  }>
  /** Why the provider would launch nothing now, as far as that is known. */
  readonly provider: Option.Option<string>
  /** For how long each loop has shown no sign of life, in milliseconds. */
  readonly silence: Readonly<Record<string, number>>
}

export interface Verdict {
  readonly well: boolean
  readonly words: string
}

/**
 * Every wait of a loop is bounded far below this, and a loop that fails tries again: only one that hangs is silent for so
 * long. What a restart does not mend (an API server or a provider that is away) is no reason for one.
 */
const LONGEST_SILENCE = 300_000

export const alive = ({ silence }: Signs): Verdict => {
  const silent = Object.entries(silence).filter(([, millis]) => millis > LONGEST_SILENCE)
  return {
    well: silent.length === 0,
    words:
      silent.length === 0
        ? "ok"
        : silent
            .map(([loop, millis]) => `${loop} has shown no sign of life for ${Math.round(millis / 1000)} s`)
            .join("; ")
  }
}

const because = (problem: Option.Option<string>): string =>
  Option.match(problem, { onNone: () => "", onSome: (words) => `: ${words}` })

const roleOf = (election: Signs["election"]): Verdict =>
  Option.match(election, {
    onNone: () => ({ well: true, words: "working; there is no election" }),
    onSome: ({ holder, leads, problem }) => {
      if (leads) return { well: true, words: `leader${because(problem)}` }
      if (Option.isSome(problem)) return { well: false, words: `the leader election does not work${because(problem)}` }
      return { well: true, words: holder === "" ? "standby; nobody leads" : `standby; ${holder} leads` }
    }
  })

/** A standby is as ready as a leader. A provider that is away is said, and is no reason to take the replica for unfit. */
export const ready = ({ election, provider, synced, watching }: Signs): Verdict => {
  const role = roleOf(election)
  const lines = [
    ...(synced ? [] : [`the first list of ComputeInstances is not complete${because(watching)}`]),
    role.words,
    ...(synced ? Option.toArray(Option.map(watching, (words) => `watching: ${words}`)) : []),
    ...Option.toArray(Option.map(provider, (words) => `provider: ${words}`))
  ]
  return { well: synced && role.well, words: lines.join("\n") }
}

const answer = (verdict: Effect.Effect<Verdict>) =>
  Effect.map(verdict, ({ well, words }) => HttpServerResponse.text(`${words}\n`, { status: well ? 200 : 503 }))

export const layer = (port: number, signs: Effect.Effect<Signs>): Layer.Layer<never, ServeError> => {
  const living = answer(Effect.map(signs, alive))
  const routes = Layer.mergeAll(
    HttpRouter.add("GET", "/livez", living),
    HttpRouter.add("GET", "/healthz", living),
    HttpRouter.add("GET", "/readyz", answer(Effect.map(signs, ready)))
  )
  return HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provide(NodeHttpServer.layer(createServer, { port, gracefulShutdownTimeout: "1 second" }))
  )
}
