/** One request for a resource, carried out: from what was asked to the answer on the wire. */
import { type Clock, Result } from "effect"
import { json, type WireRequest, type WireResponse } from "../Wire.ts"
import {
  type ApiError,
  badRequest,
  invalidOptions,
  methodNotAllowed,
  notFound,
  unsupportedMediaType
} from "./ApiError.ts"
import { decodeObject, mediaType, parseBody } from "./Bodies.ts"
import type { Core, Write } from "./Core.ts"
import { dropDefinition, established, isDefinition, serveDefinition } from "./Definitions.ts"
import { type DeleteOptions, remove } from "./Deletes.ts"
import { shown, stored } from "./EventViews.ts"
import { isArray, isObject, type Json, type JsonObject, stringAt, typeName } from "./Json.ts"
import { list, selectorOf, versionOf } from "./Lists.ts"
import { jsonPatch, mergePatch } from "./Patches.ts"
import { acceptedForm, type Rendering, rendered, textOf } from "./Representation.ts"
import { apiVersionOf } from "./Resource.ts"
import { table } from "./Tables.ts"
import type { Target } from "./Targets.ts"
import type { Watches } from "./Watches.ts"
import { apply, create, existing, patched, replace, type Written } from "./Writes.ts"

export interface Request {
  readonly core: Core
  readonly watches: Watches
  readonly wire: WireRequest
  readonly target: Target
  readonly write: Write
  readonly clock: Clock.Clock
}

type Answer = Result.Result<WireResponse, ApiError>

const renderingOf = ({ clock, core, wire, write }: Request): Result.Result<Rendering, ApiError> =>
  Result.map(acceptedForm(wire.headers.accept, core.behaviours), (form) => ({
    form,
    resource: write.resource,
    include: wire.url.searchParams.get("includeObject") ?? "Metadata",
    now: () => clock.currentTimeMillisUnsafe()
  }))

const sent = (code: number, text: string, headers: Readonly<Record<string, string>> = {}): WireResponse => ({
  status: code,
  headers: { "content-type": "application/json", ...headers },
  body: text
})

const warned = (warnings: ReadonlyArray<string>): Readonly<Record<string, string>> =>
  warnings.length === 0 ? {} : { warning: warnings.map((text) => `299 - ${JSON.stringify(text)}`).join(", ") }

const sentObject = (request: Request, { code, object, warnings }: Written): Answer =>
  Result.map(renderingOf(request), (rendering) => sent(code, textOf(rendered(rendering, object)), warned(warnings)))

const get = (request: Request): Answer => {
  const object = existing(request.core, request.write)
  return object === undefined
    ? Result.fail(notFound(request.write.resource, request.write.name))
    : sentObject(request, { code: 200, object, warnings: [] })
}

const sentList = (request: Request, items: ReadonlyArray<JsonObject>, metadata: JsonObject): Answer =>
  Result.map(renderingOf(request), (rendering) => {
    const { resource } = request.write
    if (rendering.form === "table") {
      return json(200, table(resource, items, { include: rendering.include, now: rendering.now(), metadata }))
    }
    const whole = rendering.form === "object"
    const head = {
      apiVersion: whole ? apiVersionOf(resource) : "meta.k8s.io/v1",
      kind: whole ? resource.listKind : "PartialObjectMetadataList",
      metadata
    }
    const texts = items.map((item) => textOf(rendered(rendering, item)))
    return sent(200, `${JSON.stringify(head).slice(0, -1)},"items":[${texts.join(",")}]}`)
  })

const listed = (request: Request): Answer =>
  Result.flatMap(
    list(request.core, request.write.resource, request.write.namespace, request.wire.url.searchParams),
    ({ items, metadata }) => sentList(request, items, metadata)
  )

const flag = (text: string | null): boolean => text === "true" || text === "1"

const watched = (request: Request): Answer =>
  Result.gen(function* () {
    const { core, target, wire, write } = request
    const query = wire.url.searchParams
    const rendering = yield* renderingOf(request)
    const selected = yield* selectorOf(core, write.resource, query)
    const since = yield* versionOf(query.get("resourceVersion"))
    const initial = flag(query.get("sendInitialEvents"))
    const bookmarks = flag(query.get("allowWatchBookmarks"))
    if (initial && query.get("resourceVersionMatch") !== "NotOlderThan") {
      const message = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
      return yield* Result.fail(invalidOptions("ListOptions", "resourceVersionMatch", "FieldValueForbidden", message))
    }
    const timeout = Number(query.get("timeoutSeconds") ?? "0")
    const { name } = target
    return {
      status: 200,
      headers: { "content-type": "application/json" },
      body: request.watches.stream({
        resource: write.resource,
        namespace: write.namespace,
        selects: (object) => selected(object) && (name === undefined || stringAt(object, "metadata", "name") === name),
        since: initial ? undefined : since,
        bookmarks,
        marksState: bookmarks && (initial || (query.get("resourceVersion") ?? "") === ""),
        timeoutSeconds: timeout > 0 ? timeout : undefined,
        rendering
      })
    }
  })

/** Keeps a definition's kinds served as the definition says. */
const defined = (request: Request, written: Written): Result.Result<Written, ApiError> =>
  isDefinition(request.write.resource) && !request.write.dryRun
    ? Result.map(serveDefinition(request.core, request.write, written.object), () => written)
    : Result.succeed(written)

const body = (request: Request): Result.Result<JsonObject, ApiError> => {
  const { core, wire, write } = request
  return Result.map(decodeObject(core, write, wire.body, mediaType(wire.headers["content-type"])), (object) => {
    const kept = stored(write.resource, object)
    return isDefinition(write.resource) ? established(kept, write.now) : kept
  })
}

const created = (request: Request): Answer =>
  Result.gen(function* () {
    const written = yield* create(request.core, request.write, yield* body(request))
    return yield* sentObject(request, yield* defined(request, written))
  })

const updated = (request: Request): Answer =>
  Result.gen(function* () {
    const written = yield* replace(request.core, request.write, yield* body(request))
    return yield* sentObject(request, yield* defined(request, written))
  })

const patchTypes = ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"]
const strategic = "application/strategic-merge-patch+json"

const patchType = ({ core, wire, write }: Request): Result.Result<string, ApiError> => {
  const type = mediaType(wire.headers["content-type"])
  const accepted = write.resource.custom
    ? patchTypes
    : ["application/json-patch+json", "application/merge-patch+json", strategic, "application/apply-patch+yaml"]
  if (accepted.includes(type)) return Result.succeed(type)
  return core.behaviours.unknownPatchTypesRefused
    ? Result.fail(unsupportedMediaType(accepted))
    : Result.succeed("application/merge-patch+json")
}

/** The body as JSON, or 400. */
const readable = (
  { core, wire }: Request,
  type: string,
  words: (why: string) => string
): Result.Result<Json, ApiError> => {
  const parsed = parseBody(wire.body, type)
  if (!core.behaviours.malformedBodiesRefused) return Result.orElse(parsed, () => Result.succeed({}))
  return Result.mapError(parsed, (why) => badRequest(words(why)))
}

const patchResult = (request: Request, type: string, old: JsonObject, patch: Json): Result.Result<Json, ApiError> => {
  const { behaviours } = request.core
  const seen = shown(request.write.resource, old)
  if (type === "application/json-patch+json") {
    const result = jsonPatch(seen, patch)
    return behaviours.jsonPatches || Result.isSuccess(result) ? result : Result.succeed(seen)
  }
  if (isObject(patch)) return Result.succeed(mergePatch(seen, patch, behaviours.mergePatchNullRemoves))
  const found = isArray(patch) ? "array" : typeName(patch)
  return Result.fail(
    badRequest(`error decoding patch: json: cannot unmarshal ${found} into Go value of type map[string]interface {}`)
  )
}

const required = (field: string, message: string) =>
  invalidOptions("PatchOptions", field, "FieldValueRequired", message)

const patchedObject = (request: Request): Answer =>
  Result.gen(function* () {
    const { core, wire, write } = request
    const query = wire.url.searchParams
    const type = yield* patchType(request)
    const patch = yield* readable(request, type, (why) => `error decoding patch: ${why}`)
    if (type === "application/apply-patch+yaml") {
      if ((query.get("fieldManager") ?? "") === "") {
        return yield* Result.fail(required("fieldManager", "Required value: is required for apply patch"))
      }
      const asked = isObject(patch) ? stored(write.resource, patch) : {}
      const whole = isDefinition(write.resource) ? established(asked, write.now) : asked
      const written = yield* apply(core, write, whole, flag(query.get("force")))
      return yield* sentObject(request, yield* defined(request, written))
    }
    const old = existing(core, write)
    if (old === undefined) return yield* Result.fail(notFound(write.resource, write.name))
    const result = yield* patchResult(request, type, old, patch)
    const object = stored(write.resource, isObject(result) ? result : {})
    return yield* sentObject(request, yield* defined(request, yield* patched(core, write, old, object)))
  })

const propagations = ["Foreground", "Background", "Orphan"]

const deleteOptions = (request: Request): Result.Result<DeleteOptions, ApiError> =>
  Result.gen(function* () {
    const { headers, url } = request.wire
    const words = (why: string) => `couldn't get version/kind; json parse error: ${why}`
    const body = request.wire.body === "" ? {} : yield* readable(request, headers["content-type"] ?? "", words)
    const propagation = stringAt(body, "propagationPolicy") ?? url.searchParams.get("propagationPolicy")
    if (propagation !== null && !propagations.includes(propagation)) {
      const message = `Unsupported value: ${JSON.stringify(propagation)}: supported values: "Foreground", "Background", "Orphan", "nil"`
      return yield* Result.fail(invalidOptions("DeleteOptions", "propagationPolicy", "FieldValueNotSupported", message))
    }
    return {
      uid: stringAt(body, "preconditions", "uid"),
      resourceVersion: stringAt(body, "preconditions", "resourceVersion"),
      propagation: propagation ?? undefined
    }
  })

const deleted = (request: Request): Answer =>
  Result.gen(function* () {
    const { core, write } = request
    const { before, left } = yield* remove(core, write, yield* deleteOptions(request))
    if (left !== undefined) return yield* sentObject(request, { code: 200, object: left, warnings: [] })
    if (isDefinition(write.resource)) dropDefinition(core, before)
    const { group, plural } = write.resource
    const details = { name: write.name, ...(group === "" ? {} : { group }), kind: plural }
    const uid = stringAt(before, "metadata", "uid") ?? ""
    return json(200, {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: { ...details, uid }
    })
  })

const collectionDeleted = (request: Request): Answer =>
  Result.gen(function* () {
    const { core, wire, write } = request
    const options = yield* deleteOptions(request)
    const { items, metadata } = yield* list(core, write.resource, write.namespace, wire.url.searchParams)
    for (const item of core.behaviours.collectionsDeleted ? items : []) {
      const name = stringAt(item, "metadata", "name") ?? ""
      remove(core, { ...write, name, namespace: stringAt(item, "metadata", "namespace") }, options)
    }
    return yield* sentList(request, items, metadata)
  })

const operations: Readonly<Record<string, (request: Request) => Answer>> = {
  get,
  list: listed,
  watch: watched,
  create: created,
  update: updated,
  patch: patchedObject,
  delete: deleted,
  deletecollection: collectionDeleted
}

/** Carries out the verb on the resource. */
export const operate = (request: Request, verb: string): Answer => {
  const { core, target, write } = request
  const onCollection = target.name === undefined && (verb === "update" || verb === "patch")
  if (onCollection) return Result.fail(badRequest("name must be provided"))
  const onSubresource = target.subresource === undefined || ["get", "update", "patch"].includes(verb)
  const operation = onSubresource || !core.behaviours.methodsChecked ? operations[verb] : undefined
  return operation === undefined ? Result.fail(methodNotAllowed(verb, write.resource)) : operation(request)
}
