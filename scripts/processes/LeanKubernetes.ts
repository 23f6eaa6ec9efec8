/**
 * A stand-in for the API server of one custom resource, for more objects than the simulated cluster can hold: pages, watches
 * with bookmarks and an end, compare-and-swap, generations, finalizers. It checks no schema, no user and no quota, and what
 * it does is held to the part of the cluster contract that an operator relies on.
 */
import { randomUUID } from "node:crypto"
import { type Cause, Effect, Queue, Result, Stream } from "effect"
import {
  equal,
  isObject,
  type Json,
  type JsonObject,
  objectAt,
  parseJson,
  stringAt,
  stringsAt,
  withAt,
  without
} from "../../test/support/kubernetes/Json.ts"
import { json, type WireHandler, type WireRequest, type WireResponse } from "../../test/support/Wire.ts"

interface Target {
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly status: boolean
}

interface Change {
  readonly revision: number
  readonly key: string
  readonly line: string
}

/** Texts of objects by key; those nobody touched yet are made when they are asked for. */
type Make = (revision: string) => string

const HISTORY = 100_000
/** The version of what was there before. */
const OLD = "999"

const pattern = /^\/apis\/[^/]+\/[^/]+(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/(status))?$/u

const targetOf = (path: string): Target | undefined => {
  const found = pattern.exec(path)
  return found === null ? undefined : { namespace: found[1], name: found[3], status: found[4] === "status" }
}

const refusal = (code: number, reason: string, message: string): WireResponse =>
  json(code, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code })

const merged = (into: Json | undefined, patch: Json): Json => {
  if (!isObject(patch)) return patch
  const result: Record<string, Json> = isObject(into) ? { ...into } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = merged(result[key], value)
  }
  return result
}

const parsed = (text: string): JsonObject => {
  const value = Result.getOrElse(parseJson(text), (): Json => ({}))
  return isObject(value) ? value : {}
}

const now = (): string => new Date().toISOString().replace(/\.\d+Z$/u, "Z")

export class LeanKubernetes {
  private readonly apiVersion: string
  private readonly kind: string
  private readonly texts = new Map<string, string | Make>()
  private sorted: ReadonlyArray<string> | undefined
  private history: Array<Change> = []
  private readonly watchers = new Set<(change: Change) => void>()
  private revision = 1000
  private compacted = 1000

  constructor(apiVersion: string, kind: string) {
    this.apiVersion = apiVersion
    this.kind = kind
  }

  get size(): number {
    return this.texts.size
  }

  /** Puts an object there that was there before; nobody is told. */
  stock(key: string, make: Make): void {
    this.texts.set(key, make)
    this.sorted = undefined
  }

  readonly handler: WireHandler = (request) =>
    Effect.sync(() => {
      const { method, url } = request
      if (url.pathname === "/readyz") return json(200, {})
      const target = targetOf(url.pathname)
      if (target === undefined || url.pathname.endsWith("/events")) return this.elsewhere(request)
      if (target.name === undefined) {
        if (method === "POST") return this.create(target, request)
        return ["1", "true"].includes(url.searchParams.get("watch") ?? "")
          ? this.watch(target, request)
          : this.list(target, request)
      }
      const key = `${target.namespace ?? ""}/${target.name}`
      const text = this.text(key)
      if (text === undefined) return refusal(404, "NotFound", `"${target.name}" not found`)
      if (method === "GET") return { status: 200, headers: { "content-type": "application/json" }, body: text }
      if (method === "PATCH") return this.patch(key, text, target, request)
      return method === "DELETE" ? this.remove(key, parsed(text)) : refusal(405, "MethodNotAllowed", method)
    })

  /** Namespaces and events are taken and forgotten. */
  private elsewhere({ body, method, url }: WireRequest): WireResponse {
    const known = url.pathname.endsWith("/events") || url.pathname === "/api/v1/namespaces"
    if (method === "POST" && known) return json(201, parsed(body))
    return method === "PATCH" ? json(200, parsed(body)) : json(404, { message: "404 page not found" })
  }

  private text(key: string): string | undefined {
    const held = this.texts.get(key)
    return typeof held === "function" ? held(OLD) : held
  }

  private keys(): ReadonlyArray<string> {
    this.sorted ??= [...this.texts.keys()].sort()
    return this.sorted
  }

  private list({ namespace }: Target, { url }: WireRequest): WireResponse {
    const limit = Number(url.searchParams.get("limit") ?? "0") || Number.POSITIVE_INFINITY
    const token = url.searchParams.get("continue") ?? ""
    const [at = "", after = ""] = Buffer.from(token, "base64url").toString().split(" ")
    if (!/^\d*$/u.test(url.searchParams.get("limit") ?? "") || (token !== "" && !/^\d+$/u.test(at))) {
      return refusal(400, "BadRequest", "limit or continue is malformed")
    }
    const revision = at === "" ? String(this.revision) : at
    const prefix = namespace === undefined ? "" : `${namespace}/`
    const all = this.keys()
    const items: Array<string> = []
    let index = after === "" ? 0 : all.findIndex((key) => key > after)
    let last = ""
    for (; index >= 0 && index < all.length && items.length < limit; index++) {
      const key = all[index] ?? ""
      if (!key.startsWith(prefix)) continue
      items.push(this.text(key) ?? "{}")
      last = key
    }
    const left = index < 0 ? 0 : all.slice(index).filter((key) => key.startsWith(prefix)).length
    const next = left > 0 ? Buffer.from(`${revision} ${last}`).toString("base64url") : ""
    const remaining = left > 0 ? { remainingItemCount: left } : {}
    const metadata = JSON.stringify({ continue: next, resourceVersion: revision, ...remaining })
    const head = `{"apiVersion":"${this.apiVersion}","kind":"${this.kind}List","metadata":${metadata},"items":[`
    return { status: 200, headers: { "content-type": "application/json" }, body: `${head}${items.join(",")}]}` }
  }

  private commit(key: string, type: string, object: JsonObject): JsonObject {
    this.revision += 1
    const stamped = withAt(object, ["metadata", "resourceVersion"], String(this.revision))
    const text = JSON.stringify(stamped)
    if (type === "DELETED") this.texts.delete(key)
    else this.texts.set(key, text)
    if (type !== "MODIFIED") this.sorted = undefined
    const change = { revision: this.revision, key, line: `{"type":"${type}","object":${text}}\n` }
    this.history.push(change)
    if (this.history.length > 1.1 * HISTORY) this.compact(this.history.at(-HISTORY)?.revision ?? 0)
    for (const receive of this.watchers) receive(change)
    return stamped
  }

  compact(revision = this.revision): void {
    this.compacted = Math.max(this.compacted, revision)
    this.history = this.history.filter((change) => change.revision > this.compacted)
  }

  private create({ namespace = "" }: Target, { body }: WireRequest): WireResponse {
    const given = parsed(body)
    const key = `${namespace}/${stringAt(given, "metadata", "name") ?? ""}`
    if (this.texts.has(key)) return refusal(409, "AlreadyExists", `"${key}" already exists`)
    const metadata = {
      ...objectAt(given, "metadata"),
      namespace,
      uid: randomUUID(),
      creationTimestamp: now(),
      generation: 1
    }
    return json(201, this.commit(key, "ADDED", { ...without(given, "status"), metadata }))
  }

  private patch(key: string, text: string, target: Target, { body }: WireRequest): WireResponse {
    const old = parsed(text)
    const patch = parsed(body)
    const guard = objectAt(patch, "metadata")
    const stale = ["uid", "resourceVersion"].some(
      (field) => guard[field] !== undefined && guard[field] !== stringAt(old, "metadata", field)
    )
    if (stale) return refusal(409, "Conflict", `"${key}": the object has been modified`)
    const whole = merged(old, patch)
    if (!isObject(whole)) return refusal(400, "BadRequest", "no object")
    const next = target.status ? { ...old, status: objectAt(whole, "status") } : this.withMetadata(old, whole)
    if (equal(next, old)) return json(200, old)
    const gone = stringAt(next, "metadata", "deletionTimestamp") !== undefined && this.isFree(next)
    return json(200, this.commit(key, gone ? "DELETED" : "MODIFIED", next))
  }

  private isFree(object: JsonObject): boolean {
    return stringsAt(object, "metadata", "finalizers").length === 0
  }

  /** What the main endpoint may change: everything but the status and what the server keeps. */
  private withMetadata(old: JsonObject, whole: JsonObject): JsonObject {
    const kept = objectAt(old, "metadata")
    const given = objectAt(whole, "metadata")
    const generation = Number(kept.generation ?? 1) + (equal(old.spec, whole.spec) ? 0 : 1)
    const own = Object.fromEntries(
      ["uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"].flatMap(
        (field) => {
          const value = kept[field]
          return value === undefined ? [] : [[field, value]]
        }
      )
    )
    const metadata = { ...given, ...own, generation }
    return { ...without(whole, "status"), metadata, ...(old.status === undefined ? {} : { status: old.status }) }
  }

  private remove(key: string, object: JsonObject): WireResponse {
    if (this.isFree(object)) {
      return json(200, this.commit(key, "DELETED", object))
    }
    if (stringAt(object, "metadata", "deletionTimestamp") !== undefined) return json(200, object)
    const metadata = objectAt(object, "metadata")
    const marked = {
      ...metadata,
      deletionTimestamp: now(),
      deletionGracePeriodSeconds: 0,
      generation: Number(metadata.generation ?? 1) + 1
    }
    return json(200, this.commit(key, "MODIFIED", { ...object, metadata: marked }))
  }

  private watch({ namespace }: Target, { url }: WireRequest): WireResponse {
    const since = Number(url.searchParams.get("resourceVersion") ?? "0")
    const seconds = Number(url.searchParams.get("timeoutSeconds") ?? "1800")
    const prefix = namespace === undefined ? "" : `${namespace}/`
    const body = Stream.unwrap(
      Effect.gen({ self: this }, function* () {
        const queue = yield* Queue.unbounded<string, Cause.Done>()
        if (since < this.compacted && since !== 0) {
          const gone = refusal(410, "Expired", `too old resource version: ${since} (${this.compacted})`).body
          return Stream.make(`{"type":"ERROR","object":${String(gone)}}\n`)
        }
        const receive = (change: Change) => {
          if (change.key.startsWith(prefix)) Queue.offerUnsafe(queue, change.line)
        }
        for (const change of this.history) if (change.revision > since) receive(change)
        this.watchers.add(receive)
        yield* Effect.addFinalizer(() => Effect.sync(() => this.watchers.delete(receive)))
        const bookmark = Effect.sync(() => {
          const metadata = { resourceVersion: String(this.revision) }
          const object = { apiVersion: this.apiVersion, kind: this.kind, metadata }
          Queue.offerUnsafe(queue, `${JSON.stringify({ type: "BOOKMARK", object })}\n`)
        })
        yield* Effect.forkScoped(
          Effect.sleep(1000 * Math.max(0.5, seconds - 1)).pipe(
            Effect.andThen(url.searchParams.get("allowWatchBookmarks") === "true" ? bookmark : Effect.void),
            Effect.andThen(Effect.sleep(500)),
            Effect.andThen(Effect.sync(() => Queue.endUnsafe(queue)))
          )
        )
        return Stream.fromQueue(queue)
      })
    )
    return { status: 200, headers: { "content-type": "application/json" }, body }
  }
}
