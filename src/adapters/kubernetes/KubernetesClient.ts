/**
 * The `KubernetesClient` port for one resource, over the API server's REST interface.
 *
 * Writes carry uid and resourceVersion of their view in the patch itself, so that the API server compares and swaps. An
 * object that is not one is left out of lists and watches with a warning: it never ends them.
 */
import { Duration, Effect, Layer, Option, type Schema, Stream } from "effect"
import {
  Invalid,
  KubernetesClient as KubernetesClientPort,
  KubernetesError,
  type KubernetesObject,
  type KubernetesReason,
  type MetadataChange,
  type NamespacedName,
  ServerFailure,
  type View,
  type WatchEvent
} from "../../ports/KubernetesClient.ts"
import { ApiServer, type Call, type Question } from "./ApiServer.ts"
import { type Circumstances, reasonOfStatusObject } from "./Failures.ts"
import { decodeEvent, decodeObject, decodePage, lightened } from "./KubernetesJson.ts"
import { ListItems } from "./ListItems.ts"
import { makePacking } from "./Packing.ts"
import { linesOf } from "./WatchLines.ts"

/** `namespace` is where to list and watch; none means everywhere. */
export interface Resource {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly namespace: Option.Option<string>
}

const MEBIBYTE = 1024 * 1024
const MAX_OBJECT_BYTES = 4 * MEBIBYTE
const MERGE_PATCH = "application/merge-patch+json"

const fail = (operation: string, reason: KubernetesReason) => Effect.fail(new KubernetesError({ operation, reason }))

const unexpected = (message: string) => new ServerFailure({ status: 200, message, retryAfter: Option.none() })

// ── paths ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const collectionPath = ({ group, version, plural }: Resource, namespace: Option.Option<string>): string => {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`
  const scope = Option.match(namespace, { onNone: () => "", onSome: (it) => `/namespaces/${encodeURIComponent(it)}` })
  return `${root}${scope}/${plural}`
}

/** An empty name would address the whole collection, and dots another path: neither is sent. */
const objectPath = (resource: Resource, { namespace, name }: NamespacedName, operation: string) =>
  [namespace, name].some((part) => part === "" || part === "." || part === "..")
    ? fail(operation, new Invalid({ status: 400, message: `"${namespace}/${name}" is not the name of an object` }))
    : Effect.succeed(`${collectionPath(resource, Option.some(namespace))}/${encodeURIComponent(name)}`)

// ── single objects ───────────────────────────────────────────────────────────────────────────────────────────────────

const oneObject = (operation: string, json: Schema.Json): Effect.Effect<KubernetesObject, KubernetesError> => {
  const object = decodeObject(json)
  return object === undefined
    ? fail(operation, unexpected("the answer is JSON, but no Kubernetes object with name, namespace, uid and version"))
    : Effect.succeed(object)
}

const get = (api: ApiServer["Service"], resource: Resource) =>
  Effect.fnUntraced(function* (name: NamespacedName) {
    const operation = `get ${name.namespace}/${name.name}`
    const path = yield* objectPath(resource, name, operation)
    return yield* oneObject(operation, yield* api.call({ operation, method: "GET", path, maxBytes: MAX_OBJECT_BYTES }))
  })

/** Without uid and resourceVersion the API server would write unconditionally. */
const guarded = (view: View, operation: string) =>
  view.uid === "" || view.resourceVersion === ""
    ? fail(
        operation,
        new Invalid({ status: 400, message: "a write needs the uid and the resourceVersion of its view" })
      )
    : Effect.succeed({ uid: view.uid, resourceVersion: view.resourceVersion })

const patch = Effect.fnUntraced(function* (
  api: ApiServer["Service"],
  resource: Resource,
  view: View,
  what: { readonly subresource: "" | "/status"; readonly body: (guard: Schema.Json) => Schema.Json }
) {
  const operation = `patch ${what.subresource === "" ? "metadata" : "status"} ${view.namespace}/${view.name}`
  const path = yield* objectPath(resource, view, operation)
  const json = what.body(yield* guarded(view, operation))
  const call: Call = {
    operation,
    method: "PATCH",
    path: `${path}${what.subresource}`,
    body: { contentType: MERGE_PATCH, json },
    maxBytes: MAX_OBJECT_BYTES
  }
  return yield* oneObject(operation, yield* api.call(call))
})

const metadataOf = (guard: Schema.Json, change: MetadataChange): Schema.Json => ({
  ...(typeof guard === "object" ? guard : {}),
  ...(change.annotations === undefined ? {} : { annotations: change.annotations }),
  ...(change.finalizers === undefined ? {} : { finalizers: change.finalizers })
})

// ── collections ──────────────────────────────────────────────────────────────────────────────────────────────────────

const tooLarge = (part: string) => unexpected(`${part} is larger than ${MAX_OBJECT_BYTES} bytes, the most that is read`)

const parseText = (text: string, where: string): Effect.Effect<Schema.Json, ServerFailure> =>
  Effect.try({
    try: (): Schema.Json => JSON.parse(text),
    // The parser's own message quotes the text, which may be confidential.
    catch: () => unexpected(`${where} is not JSON`)
  })

/** Reads a page item by item: neither its text nor what is not kept of it is ever in memory as a whole. */
const readPage = Effect.fnUntraced(function* (bytes: Stream.Stream<Uint8Array, KubernetesReason>) {
  const parts = new ListItems(MAX_OBJECT_BYTES)
  const items: Array<Schema.Json> = []
  yield* Stream.runForEach(bytes, (chunk) =>
    Effect.gen(function* () {
      for (const text of parts.feed(chunk)) items.push(lightened(yield* parseText(text, "an item of the list")))
      if (parts.tooLarge) return yield* tooLarge("an item of the list")
    })
  )
  const around = yield* parseText(parts.around, "the answer")
  return decodePage(around, items)
})

const list = (api: ApiServer["Service"], resource: Resource) =>
  Effect.fnUntraced(function* (page: { readonly limit: number; readonly continue: Option.Option<string> }) {
    const operation = `list ${resource.plural}`
    const { bytes } = yield* api.open({
      operation,
      method: "GET",
      path: collectionPath(resource, resource.namespace),
      query: {
        limit: String(page.limit),
        ...Option.match(page.continue, { onNone: () => ({}), onSome: (token) => ({ continue: token }) })
      }
    })
    const decoded = yield* Effect.mapError(readPage(bytes), (reason) => new KubernetesError({ operation, reason }))
    if (decoded === undefined) return yield* fail(operation, unexpected("the answer is JSON, but no Kubernetes list"))
    yield* Effect.forEach(decoded.leftOut, (name) => leftOut(operation, name), { discard: true })
    return decoded.page
  })

const leftOut = (operation: string, name: string) =>
  Effect.logWarning("left out what is not a Kubernetes object with name, namespace, uid and resourceVersion", {
    operation,
    object: name
  })

/** What one line of a watch means: mostly one event, sometimes none. */
const eventsOf = (operation: string, circumstances: Circumstances) =>
  Effect.fnUntraced(function* (line: string) {
    const event = decodeEvent(yield* parseText(line, "a line of the watch"))
    const nothing: ReadonlyArray<WatchEvent> = []
    if (event === undefined) return yield* unexpected("a line of the watch is JSON, but no event")
    switch (event._tag) {
      case "Error":
        return yield* reasonOfStatusObject(event.status, circumstances)
      case "Undecodable":
        return yield* Effect.as(leftOut(operation, event.name), nothing)
      case "Unknown":
        return yield* Effect.as(Effect.logDebug("ignored an event of unknown type", { type: event.type }), nothing)
      default: {
        const known: ReadonlyArray<WatchEvent> = [event]
        return known
      }
    }
  })

const watch =
  (api: ApiServer["Service"], resource: Resource) =>
  (from: { readonly resourceVersion: string; readonly timeout: Duration.Duration }) => {
    const operation = `watch ${resource.plural}`
    const question: Question = {
      operation,
      method: "GET",
      path: collectionPath(resource, resource.namespace),
      query: {
        watch: "true",
        allowWatchBookmarks: "true",
        resourceVersion: from.resourceVersion,
        timeoutSeconds: String(Math.max(1, Math.ceil(Duration.toSeconds(from.timeout))))
      }
    }
    return Stream.unwrap(
      Effect.map(api.open(question), ({ bytes, circumstances }) =>
        bytes.pipe(
          linesOf(MAX_OBJECT_BYTES),
          Stream.mapEffect(eventsOf(operation, circumstances)),
          Stream.flattenIterable,
          Stream.mapError((reason) => new KubernetesError({ operation, reason }))
        )
      )
    )
  }

export const make = (resource: Resource): Effect.Effect<KubernetesClientPort["Service"], never, ApiServer> =>
  Effect.map(ApiServer, (api) =>
    KubernetesClientPort.of({
      pack: makePacking(),
      get: get(api, resource),
      list: list(api, resource),
      watch: watch(api, resource),
      patchMetadata: (view, change) =>
        patch(api, resource, view, { subresource: "", body: (guard) => ({ metadata: metadataOf(guard, change) }) }),
      patchStatus: (view, status) =>
        patch(api, resource, view, { subresource: "/status", body: (guard) => ({ metadata: guard, status }) })
    })
  )

export const layer = (resource: Resource): Layer.Layer<KubernetesClientPort, never, ApiServer> =>
  Layer.effect(KubernetesClientPort, make(resource))
