/**
 * Watches: what happens to the objects of a kind, told as it happens, from a version on that is not forgotten.
 *
 * A watch lives as long as its stream is read. Bookmarks and the end of its time come from the Effect `Clock`.
 */
import { Cause, Duration, Effect, Queue, type Scope, Stream } from "effect"
import { ConnectionLost } from "../Wire.ts"
import { type ApiError, expired } from "./ApiError.ts"
import type { Core } from "./Core.ts"
import { type JsonObject, withAt } from "./Json.ts"
import { type Rendering, rendered, textOf } from "./Representation.ts"
import { apiVersionOf, type Resource } from "./Resource.ts"
import type { Selects } from "./Selectors.ts"
import type { Change } from "./Store.ts"

export interface WatchRequest {
  readonly resource: Resource
  readonly namespace: string | undefined
  readonly selects: Selects
  /** `undefined`: begin with what there is. */
  readonly since: number | undefined
  readonly bookmarks: boolean
  /** Say with a bookmark where what there is ends. */
  readonly marksState: boolean
  readonly timeoutSeconds: number | undefined
  readonly rendering: Rendering
}

type Lines = Queue.Queue<string, ConnectionLost | Cause.Done>

/** An open watch, from the outside. */
interface Connection {
  readonly cut: () => void
  readonly silence: () => void
  readonly resume: () => void
}

const bookmarkEvery = 60
const bookmarkBeforeEnd = 2
/** Real servers choose between 30 and 60 minutes. */
const longestWatch = 45 * 60

const line = (type: string, object: JsonObject): string =>
  `{"type":${JSON.stringify(type)},"object":${textOf(object)}}\n`

const errorLine = (error: ApiError): string => line("ERROR", error.body)

/** What a change is to somebody who sees only what the selector selects. */
const seen = (core: Core, request: WatchRequest, change: Change): readonly [string, JsonObject] | undefined => {
  const namespace = request.namespace
  if (namespace !== undefined && !change.key.startsWith(`${namespace}/`)) return undefined
  const { object, previous, type } = change
  const before = previous !== undefined && request.selects(previous)
  const after = type !== "DELETED" && request.selects(object)
  if (after) return [before ? "MODIFIED" : "ADDED", object]
  if (!before || previous === undefined) return undefined
  if (type === "DELETED") return ["DELETED", object]
  if (!core.behaviours.watchSelectorsFollowed) return undefined
  return ["DELETED", withAt(previous, ["metadata", "resourceVersion"], String(change.revision))]
}

const present = (core: Core, request: WatchRequest): ReadonlyArray<JsonObject> => {
  const { namespace, resource } = request
  const objects = core.store.objects(resource.storage)
  return [...objects.keys()]
    .filter((key) => namespace === undefined || key.startsWith(`${namespace}/`))
    .sort()
    .map((key) => objects.get(key))
    .filter((object) => object !== undefined)
    .filter(request.selects)
}

export class Watches {
  private readonly core: Core
  private readonly open = new Set<Connection>()

  constructor(core: Core) {
    this.core = core
  }

  /** How many watches are open. */
  get count(): number {
    return this.open.size
  }

  /** Breaks every open watch as a lost connection would. */
  disconnect(): void {
    for (const connection of [...this.open]) connection.cut()
  }

  /** Makes every open watch go silent; what happens is held back. */
  silence(): void {
    for (const connection of this.open) connection.silence()
  }

  /** Lets silenced watches say what they held back. */
  resume(): void {
    for (const connection of this.open) connection.resume()
  }

  /** The lines of a watch. */
  stream(request: WatchRequest): Stream.Stream<string, ConnectionLost> {
    return Stream.unwrap(this.start(request))
  }

  private readonly start = Effect.fnUntraced(function* (
    this: Watches,
    request: WatchRequest
  ): Effect.fn.Return<Stream.Stream<string, ConnectionLost>, never, Scope.Scope> {
    const { behaviours, store } = this.core
    const { since } = request
    if (since !== undefined && since < store.compacted && behaviours.watchHistoryExpires) {
      return Stream.make(errorLine(expired(`too old resource version: ${since} (${store.compacted})`)))
    }
    const queue: Lines = yield* Queue.unbounded<string, ConnectionLost | Cause.Done>()
    const connection = this.connect(queue)
    const say = (type: string, object: JsonObject) => connection.say(line(type, object))
    let told = since ?? store.revision
    const receive = (change: Change) => {
      const event = seen(this.core, request, change)
      if (event !== undefined) say(event[0], rendered(request.rendering, event[1]))
    }
    if (since === undefined) {
      if (behaviours.watchesBeginWithState) {
        for (const object of present(this.core, request)) say("ADDED", rendered(request.rendering, object))
      }
      if (request.marksState && behaviours.bookmarks) {
        say("BOOKMARK", this.bookmark(request, { annotations: { "k8s.io/initial-events-end": "true" } }))
      }
    } else if (behaviours.watchesResume) {
      for (const change of store.changesAfter(request.resource.storage, since)) {
        receive(change)
        told = change.revision
      }
    }
    // Only what is newer than where the watch began is worth a bookmark.
    const mark = () => {
      if (store.revision > told) say("BOOKMARK", this.bookmark(request, {}))
    }
    const unsubscribe = store.subscribe({ storage: request.resource.storage, receive })
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        unsubscribe()
        this.open.delete(connection)
      })
    )
    yield* Effect.forkScoped(this.timed(request, mark, connection.end))
    return Stream.fromQueue(queue)
  })

  private bookmark(request: WatchRequest, metadata: JsonObject): JsonObject {
    const { resource } = request
    return {
      kind: resource.kind,
      apiVersion: apiVersionOf(resource),
      metadata: { ...metadata, resourceVersion: String(this.core.store.revision) }
    }
  }

  private connect(queue: Lines) {
    const held: Array<string> = []
    let silent = false
    let over = false
    const connection = {
      say: (text: string) => {
        if (silent) held.push(text)
        else Queue.offerUnsafe(queue, text)
      },
      end: () => {
        over = true
        if (!silent) Queue.endUnsafe(queue)
      },
      cut: () => {
        Queue.failCauseUnsafe(queue, Cause.fail(new ConnectionLost({ code: "ECONNRESET" })))
      },
      silence: () => {
        silent = true
      },
      resume: () => {
        silent = false
        for (const text of held.splice(0)) Queue.offerUnsafe(queue, text)
        if (over) Queue.endUnsafe(queue)
      }
    }
    this.open.add(connection)
    return connection
  }

  /** Bookmarks now and then and shortly before the end, then the end. */
  private readonly timed = Effect.fnUntraced(function* (
    this: Watches,
    request: WatchRequest,
    mark: () => void,
    end: () => void
  ) {
    const { behaviours } = this.core
    const length = behaviours.watchesTimeOut ? (request.timeoutSeconds ?? longestWatch) : Number.POSITIVE_INFINITY
    const marks = request.bookmarks && behaviours.bookmarks
    let elapsed = 0
    const until = Effect.fnUntraced(function* (second: number) {
      yield* Effect.sleep(Duration.seconds(second - elapsed))
      elapsed = second
    })
    while (marks && elapsed < length - bookmarkBeforeEnd) {
      yield* until(Math.min(elapsed + bookmarkEvery, length - bookmarkBeforeEnd))
      mark()
    }
    if (length === Number.POSITIVE_INFINITY) return
    yield* until(length)
    end()
  })
}
