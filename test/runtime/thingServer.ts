/**
 * A server of things that keeps the promises of a Kubernetes list and watch, in memory and in the time of the test:
 * one counter of versions, snapshots that pages are cut from, a history that can expire, watches that end by themselves.
 * What it was asked is on record, and how it answers next can be ordered.
 */
import { type Cause, Clock, Data, Duration, Effect, Option, Queue, type Scope, Stream } from "effect"
import * as Reflector from "../../src/runtime/Reflector.ts"

export interface Thing {
  readonly name: string
  readonly version: string
  readonly value: string
}

export class Refused extends Data.TaggedError("Refused")<{ readonly message: string; readonly seconds?: number }> {}
export class Expired extends Data.TaggedError("Expired")<{ readonly message: string }> {}
export type Refusal = Refused | Expired

type ThingEvent = Reflector.Event<Thing>
type Connection = Queue.Queue<ThingEvent, Refusal | Cause.Done>

export interface Asked {
  readonly what: "list" | "watch"
  readonly at: number
  /** The continue token of a page, the version a watch began after. */
  readonly from: string
  readonly seconds: number
}

/** What becomes of the next answer: refused, held back, never given. */
export type Fault = <A, R>(answer: Effect.Effect<A, Refusal, R>) => Effect.Effect<A, Refusal, R>

export const refuse =
  (message: string, seconds?: number): Fault =>
  () =>
    Effect.fail(new Refused(seconds === undefined ? { message } : { message, seconds }))

export class ThingServer {
  readonly asked: Array<Asked> = []
  readonly #things = new Map<string, Thing>()
  readonly #history: Array<{ readonly version: number; readonly event: ThingEvent }> = []
  readonly #connections = new Set<Connection>()
  /** The connections that still get through. One that once did not never does again: a watch has an end, but no hole. */
  readonly #reached = new Set<Connection>()
  #deaf = false
  readonly #faults: { readonly list: Array<Fault>; readonly watch: Array<Fault> } = { list: [], watch: [] }
  #snapshots = new Map<string, ReadonlyArray<Thing>>()
  #version = 100
  #expiredBefore = 0
  /** Watches end as soon as they have begun. */
  hasty = false

  /** While deaf, no watch is told anything, and a new one does not end by itself. */
  set deaf(deaf: boolean) {
    this.#deaf = deaf
    if (deaf) this.#reached.clear()
  }

  put(name: string, value: string): Thing {
    const thing = { name, value, version: String(++this.#version) }
    this.#things.set(name, thing)
    this.#happened({ _tag: "Applied", object: thing })
    return thing
  }

  /** A change that no watch will ever tell. */
  putUnseen(name: string, value: string): void {
    this.#things.set(name, { name, value, version: String(++this.#version) })
  }

  get things(): ReadonlyArray<Thing> {
    return [...this.#things.values()]
  }

  remove(name: string): void {
    const thing = this.#things.get(name)
    if (thing === undefined) return
    this.#things.delete(name)
    this.#happened({ _tag: "Deleted", object: { ...thing, version: String(++this.#version) } })
  }

  /** Lets the version move on without a change to any thing, and says so to whoever watches. */
  bookmark(): string {
    const resourceVersion = String(++this.#version)
    this.send({ _tag: "Bookmark", resourceVersion })
    return resourceVersion
  }

  /** Puts an event on the open watches, true or not. */
  send(event: ThingEvent): void {
    for (const connection of this.#reached) Queue.offerUnsafe(connection, event)
  }

  /** A restored backup: other things, and versions that begin anew. */
  restore(things: ReadonlyArray<Thing>, version: number): void {
    this.#things.clear()
    for (const thing of things) this.#things.set(thing.name, thing)
    this.#version = version
    this.expire()
  }

  /** The history up to now is no longer there to watch from, nor is any snapshot to page through. */
  expire(): void {
    this.#expiredBefore = this.#version
    this.#history.length = 0
    this.#snapshots = new Map()
  }

  readonly end = Effect.suspend(() => Effect.forEach(this.#connections, (open) => Queue.end(open), { discard: true }))

  break(refusal: Refusal) {
    return Effect.suspend(() =>
      Effect.forEach(this.#connections, (open) => Queue.fail(open, refusal), { discard: true })
    )
  }

  get open(): number {
    return this.#connections.size
  }

  order(what: "list" | "watch", ...faults: ReadonlyArray<Fault>): void {
    this.#faults[what].push(...faults)
  }

  askedFor(what: "list" | "watch"): ReadonlyArray<Asked> {
    return this.asked.filter((asked) => asked.what === what)
  }

  readonly source: Reflector.Source<Thing, Refusal> = {
    list: ({ limit, continue: token }) =>
      this.#answer(
        "list",
        Option.getOrElse(token, () => ""),
        Duration.zero,
        this.#page(limit, token)
      ),
    watch: ({ resourceVersion, timeout }) =>
      Stream.unwrap(this.#answer("watch", resourceVersion, timeout, this.#watch(resourceVersion, timeout)))
  }

  #happened(event: ThingEvent): void {
    this.#history.push({ version: this.#version, event })
    this.send(event)
  }

  #answer<A, R>(
    what: "list" | "watch",
    from: string,
    timeout: Duration.Duration,
    answer: Effect.Effect<A, Refusal, R>
  ): Effect.Effect<A, Refusal, R> {
    return Effect.gen({ self: this }, function* () {
      this.asked.push({ what, at: yield* Clock.currentTimeMillis, from, seconds: Duration.toSeconds(timeout) })
      const fault = this.#faults[what].shift()
      return yield* fault === undefined ? answer : fault(answer)
    })
  }

  #page(limit: number, token: Option.Option<string>): Effect.Effect<Reflector.Page<Thing>, Refusal> {
    return Effect.suspend(() => {
      const [version = "", begin = "0"] = Option.getOrElse(token, () => String(this.#version)).split("/")
      if (Option.isNone(token)) this.#snapshots.set(version, [...this.#things.values()])
      const snapshot = this.#snapshots.get(version)
      if (snapshot === undefined) return Effect.fail(new Expired({ message: "continue token expired" }))
      const end = Number(begin) + limit
      return Effect.succeed({
        items: snapshot.slice(Number(begin), end),
        resourceVersion: version,
        continue: end < snapshot.length ? Option.some(`${version}/${end}`) : Option.none()
      })
    })
  }

  #watch(
    from: string,
    timeout: Duration.Duration
  ): Effect.Effect<Stream.Stream<ThingEvent, Refusal>, Refusal, Scope.Scope> {
    return Effect.gen({ self: this }, function* () {
      if (Number(from) < this.#expiredBefore) return yield* new Expired({ message: `too old: ${from}` })
      const queue = yield* Queue.unbounded<ThingEvent, Refusal | Cause.Done>()
      yield* Effect.acquireRelease(
        Effect.sync(() => this.#connections.add(queue)),
        () => Effect.sync(() => this.#connections.delete(queue) && this.#reached.delete(queue))
      )
      if (this.#deaf) return Stream.fromQueue(queue)
      this.#reached.add(queue)
      for (const { version, event } of this.#history) {
        if (version > Number(from)) Queue.offerUnsafe(queue, event)
      }
      yield* Effect.forkScoped(Effect.andThen(Effect.sleep(this.hasty ? 0 : timeout), Queue.end(queue)))
      return Stream.fromQueue(queue)
    })
  }
}

export interface Told {
  readonly key: string
  readonly change: Reflector.Change
}

/** A reflector of the server's things, whose every word is on record. */
export const reflected = (server: ThingServer, overrides: Partial<Reflector.Options<Thing, Refusal>> = {}) =>
  Effect.gen(function* () {
    const told: Array<Told> = []
    const problems: Array<Reflector.Problem<Refusal>> = []
    const reflector = yield* Reflector.make<Thing, Refusal>({
      source: server.source,
      key: (thing) => thing.name,
      resourceVersion: (thing) => thing.version,
      isExpired: (refusal) => refusal._tag === "Expired",
      retryAfter: (refusal) =>
        refusal._tag === "Refused" && refusal.seconds !== undefined
          ? Option.some(Duration.seconds(refusal.seconds))
          : Option.none(),
      onChange: (key, change) => Effect.sync(() => void told.push({ key, change })),
      onProblem: (problem) => Effect.sync(() => void problems.push(problem)),
      ...overrides
    })
    const value = (key: string) =>
      Effect.map(
        reflector.get(key),
        Option.map((thing) => thing.value)
      )
    /** What has been told since this was last asked. */
    const news = () => told.splice(0).map(({ key, change }) => `${key} ${change}`)
    return { reflector, problems, value, news }
  })
