/**
 * Faults that can be ordered on a simulated wire, and the count of what went over it.
 *
 * A fault waits for the first matching requests and is used up by them, in the order in which faults were placed. Each
 * says whether the simulator applied the request: `after: true` means it did, and the caller never learns.
 */
import { type Duration, Effect, Queue, Ref, type Scope } from "effect"
import { ConnectionLost, type WireHandler, type WireRequest, type WireResponse } from "./Wire.ts"

export type Harm =
  /** Answer this instead; with `after`, once the request took effect. */
  | { readonly _tag: "Answer"; readonly response: WireResponse; readonly after?: boolean }
  /** Break the connection; with `after`, once the request took effect. */
  | { readonly _tag: "Lose"; readonly code: string; readonly after?: boolean }
  /** Wait before the request takes effect; with `after`, hold back the answer instead. */
  | { readonly _tag: "Delay"; readonly by: Duration.Input; readonly after?: boolean }
  /** Never answer; with `after`, once the request took effect. */
  | { readonly _tag: "Hang"; readonly after?: boolean }
  /** Answer or break the connection now, and let the request take effect `by` later: a proxy gave up, the server did not. */
  | { readonly _tag: "CommitLate"; readonly by: Duration.Input; readonly answer: WireResponse | ConnectionLost }
  /** Send the true answer's body only up to this many characters, then break the connection. */
  | { readonly _tag: "Truncate"; readonly characters: number }

export interface Fault {
  /** To be counted by when it strikes. */
  readonly name?: string
  readonly when: (request: WireRequest) => boolean
  /** How many matching requests it harms; default 1. */
  readonly times?: number
  readonly harm: Harm
}

/** One request as it went over the wire. `status` is 0 when the connection broke. */
export interface Exchange {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly userAgent: string
  readonly status: number
}

export interface FaultyWire {
  readonly handler: WireHandler
  /** Places a fault; faults are tried in the order in which they were placed. */
  readonly order: (fault: Fault) => Effect.Effect<void>
  /** Takes back every fault not used up yet. */
  readonly heal: Effect.Effect<void>
  /** Every exchange so far, oldest first. */
  readonly exchanges: Effect.Effect<ReadonlyArray<Exchange>>
  readonly count: (matches: (exchange: Exchange) => boolean) => Effect.Effect<number>
  readonly forget: Effect.Effect<void>
  /** How often faults struck, by name. */
  readonly suffered: () => ReadonlyMap<string, number>
}

const truncated = (response: WireResponse, characters: number): Effect.Effect<WireResponse, ConnectionLost> =>
  typeof response.body === "string"
    ? Effect.succeed({ ...response, body: response.body.slice(0, characters) })
    : Effect.fail(new ConnectionLost({ code: "ECONNRESET" }))

/** Wraps a simulator's handler. Requests that commit late do so in the given scope. */
export const withFaults = (inner: WireHandler): Effect.Effect<FaultyWire, never, Scope.Scope> =>
  Effect.gen(function* () {
    const pending = yield* Ref.make<ReadonlyArray<Required<Fault>>>([])
    const log: Array<Exchange> = []
    const struck = new Map<string, number>()
    const late = yield* Queue.unbounded<Effect.Effect<void>>()
    yield* Effect.forkScoped(
      Effect.forever(Effect.flatMap(Queue.take(late), (commit) => Effect.forkChild(commit, { startImmediately: true })))
    )

    const take = (request: WireRequest) =>
      Ref.modify(pending, (faults): readonly [Harm | undefined, ReadonlyArray<Required<Fault>>] => {
        const index = faults.findIndex((fault) => fault.when(request))
        const fault = faults[index]
        if (fault === undefined) return [undefined, faults]
        struck.set(fault.name, (struck.get(fault.name) ?? 0) + 1)
        return [
          fault.harm,
          fault.times === 1 ? faults.toSpliced(index, 1) : faults.with(index, { ...fault, times: fault.times - 1 })
        ]
      })

    const suffer = (harm: Harm, request: WireRequest): Effect.Effect<WireResponse, ConnectionLost> => {
      switch (harm._tag) {
        case "Answer":
          return harm.after === true ? Effect.as(inner(request), harm.response) : Effect.succeed(harm.response)
        case "Lose": {
          const lost = Effect.fail(new ConnectionLost({ code: harm.code }))
          return harm.after === true ? Effect.andThen(inner(request), lost) : lost
        }
        case "Delay":
          return harm.after === true
            ? Effect.tap(inner(request), () => Effect.sleep(harm.by))
            : Effect.delay(inner(request), harm.by)
        case "Hang":
          return harm.after === true ? Effect.andThen(inner(request), Effect.never) : Effect.never
        case "CommitLate":
          return Effect.andThen(
            Queue.offer(late, Effect.ignore(Effect.delay(inner(request), harm.by))),
            harm.answer instanceof ConnectionLost ? Effect.fail(harm.answer) : Effect.succeed(harm.answer)
          )
        case "Truncate":
          return Effect.flatMap(inner(request), (response) => truncated(response, harm.characters))
      }
    }

    const record = (request: WireRequest, status: number) => {
      log.push({
        method: request.method,
        path: request.url.pathname,
        query: request.url.search,
        userAgent: request.headers["user-agent"] ?? "",
        status
      })
    }

    const handler: WireHandler = (request) =>
      Effect.flatMap(take(request), (harm) => (harm === undefined ? inner(request) : suffer(harm, request))).pipe(
        Effect.onExit((exit) => Effect.sync(() => record(request, exit._tag === "Success" ? exit.value.status : 0)))
      )

    return {
      handler,
      order: (fault) => Ref.update(pending, (faults) => [...faults, { times: 1, name: fault.harm._tag, ...fault }]),
      heal: Ref.set(pending, []),
      exchanges: Effect.sync(() => log.slice()),
      count: (matches) => Effect.sync(() => log.filter(matches).length),
      forget: Effect.sync(() => {
        log.length = 0
      }),
      suffered: () => struck
    }
  })
