/** Create, replace, patch and apply: every way in which an object changes while it lives. */
import { Result } from "effect"
import { admitted, checked, sameContent, systemFieldsKept } from "./Admission.ts"
import {
  type ApiError,
  alreadyExists,
  badRequest,
  conflict,
  internal,
  invalid,
  modified,
  namespaceNotFound,
  notFound
} from "./ApiError.ts"
import { placed } from "./Bodies.ts"
import type { Core, Write } from "./Core.ts"
import {
  equal,
  type Json,
  type JsonObject,
  listAt,
  numberAt,
  objectAt,
  stringAt,
  stringsAt,
  withAt,
  without
} from "./Json.ts"
import { applied, ownersAfterUpdate, type Writer } from "./Ownership.ts"
import { apiVersionOf } from "./Resource.ts"
import { keyOf } from "./Store.ts"

export interface Written {
  readonly code: number
  readonly object: JsonObject
  readonly warnings: ReadonlyArray<string>
}

export const existing = (core: Core, write: Write): JsonObject | undefined =>
  core.store.get(write.resource.storage, keyOf(write.namespace, write.name))

const writerOf = (write: Write, operation: Writer["operation"]): Writer => ({
  manager: write.manager,
  operation,
  apiVersion: apiVersionOf(write.resource),
  subresource: write.subresource,
  time: write.now
})

const versioned = (object: JsonObject, revision: number): JsonObject =>
  withAt(object, ["metadata", "resourceVersion"], String(revision))

/** Keeps the object, or forgets it when `gone`; a dry run does neither. */
export const keep = (core: Core, write: Write, object: JsonObject, gone = false): JsonObject => {
  if (write.dryRun) return object
  const key = keyOf(stringAt(object, "metadata", "namespace"), stringAt(object, "metadata", "name") ?? "")
  return core.store.commit(write.resource.storage, key, (revision) => versioned(object, revision), gone)
}

const letters = "bcdfghjklmnpqrstvwxz2456789"

const named = (core: Core, body: JsonObject): string => {
  const prefix = stringAt(body, "metadata", "generateName")
  const name = stringAt(body, "metadata", "name") ?? ""
  if (name !== "" || prefix === undefined || !core.behaviours.generatedNames) return name
  let number = core.store.revision * 7919
  let suffix = ""
  for (let place = 0; place < 5; place++) {
    suffix += letters[number % letters.length] ?? ""
    number = Math.floor(number / letters.length) + place * 11
  }
  return `${prefix}${suffix}`
}

const hidesStatus = (core: Core, write: Write): boolean =>
  write.resource.statusSubresource && core.behaviours.mainIgnoresStatus && write.resource.custom

const content = (object: JsonObject, write: Write): JsonObject =>
  without(object, "metadata", "apiVersion", "kind", ...(write.resource.statusSubresource ? ["status"] : []))

export const create = (
  core: Core,
  write: Write,
  body: JsonObject,
  owners?: ReadonlyArray<Json>
): Result.Result<Written, ApiError> =>
  Result.gen(function* () {
    const { resource, namespace } = write
    if ((stringAt(body, "metadata", "resourceVersion") ?? "") !== "") {
      return yield* Result.fail(internal("resourceVersion should not be set on objects to be created"))
    }
    const { object, warnings } = yield* admitted(core, write, body)
    if (
      namespace !== undefined &&
      core.behaviours.namespacesExist &&
      core.store.get("namespaces", namespace) === undefined
    ) {
      return yield* Result.fail(namespaceNotFound(namespace))
    }
    const name = named(core, object)
    const visible = hidesStatus(core, write) ? without(object, "status") : object
    const fresh: JsonObject = {
      ...visible,
      metadata: {
        ...without(objectAt(visible, "metadata"), "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields"),
        name,
        uid: core.uid(),
        creationTimestamp: write.now,
        ...(resource.custom ? { generation: 1 } : {})
      }
    }
    yield* checked(core, write, fresh, undefined)
    if (core.behaviours.uniqueNames && core.store.get(resource.storage, keyOf(namespace, name)) !== undefined) {
      return yield* Result.fail(alreadyExists(resource, name))
    }
    const managedFields = owners ?? ownersAfterUpdate(resource.schema, undefined, fresh, writerOf(write, "Update"))
    return {
      code: 201,
      object: keep(core, write, withAt(fresh, ["metadata", "managedFields"], managedFields)),
      warnings
    }
  })

/** 409 unless the write is based on the object as it is. A write that names no version is based on anything. */
const current = (core: Core, write: Write, body: JsonObject, old: JsonObject): Result.Result<void, ApiError> => {
  const version = stringAt(body, "metadata", "resourceVersion") ?? ""
  if (version === "" || version === stringAt(old, "metadata", "resourceVersion")) return Result.succeed(undefined)
  if (!/^\d+$/u.test(version)) {
    return Result.fail(internal(`strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`))
  }
  const { staleStatusWritesRefused, staleWritesRefused } = core.behaviours
  const refused = write.subresource === "status" ? staleStatusWritesRefused : staleWritesRefused
  return refused ? Result.fail(modified(write.resource, write.name)) : Result.succeed(undefined)
}

/** The part of the proposed object that this endpoint may change, on what the object was. */
const allowed = (core: Core, write: Write, proposed: JsonObject, old: JsonObject): JsonObject => {
  if (write.subresource === "status" && core.behaviours.statusIgnoresRest) {
    return withAt(old, ["status"], proposed.status)
  }
  const kept = systemFieldsKept(core, proposed, old)
  return write.subresource === "" && hidesStatus(core, write) ? withAt(kept, ["status"], old.status) : kept
}

const generationOf = (core: Core, write: Write, next: JsonObject, old: JsonObject): JsonObject => {
  const generation = numberAt(old, "metadata", "generation")
  if (generation === undefined) return next
  const grows = core.behaviours.generationFollowsSpec ? !equal(content(next, write), content(old, write)) : true
  return withAt(next, ["metadata", "generation"], grows ? generation + 1 : generation)
}

const sameOwners = (a: ReadonlyArray<Json>, b: ReadonlyArray<Json>): boolean =>
  equal(
    a.map((one) => withAt({ one }, ["one", "time"], null)),
    b.map((one) => withAt({ one }, ["one", "time"], null))
  )

/** Keeps what the write makes of the object: not at all if nothing changes, and for the last time if nothing holds it. */
const settle = (
  core: Core,
  write: Write,
  old: JsonObject,
  proposed: JsonObject,
  owners?: ReadonlyArray<Json>
): Result.Result<Written, ApiError> =>
  Result.gen(function* () {
    const { object, warnings } = yield* admitted(core, write, proposed)
    const version = stringAt(old, "metadata", "resourceVersion")
    const wanted = withAt(allowed(core, write, object, old), ["metadata", "resourceVersion"], version)
    const next = generationOf(core, write, wanted, old)
    yield* checked(core, write, next, old)
    const managedFields = owners ?? ownersAfterUpdate(write.resource.schema, old, next, writerOf(write, "Update"))
    const owned = withAt(next, ["metadata", "managedFields"], managedFields)
    const held = stringsAt(owned, "metadata", "finalizers").length > 0
    const deleting = stringAt(old, "metadata", "deletionTimestamp") !== undefined
    if (deleting && !held && core.behaviours.lastFinalizerRemoves) {
      keep(core, write, owned, true)
      return { code: 200, object: owned, warnings }
    }
    const unchanged = sameContent(owned, old) && sameOwners(managedFields, listAt(old, "metadata", "managedFields"))
    if (unchanged && core.behaviours.noOpWritesIgnored) return { code: 200, object: old, warnings }
    return { code: 200, object: keep(core, write, owned), warnings }
  })

/** Kinds whose objects cannot be written without saying which version of them is meant. */
const needsVersion = (write: Write): boolean =>
  write.resource.custom ||
  write.resource.group === "coordination.k8s.io" ||
  write.resource.group === "apiextensions.k8s.io"

const versionGiven = (core: Core, write: Write, body: JsonObject): Result.Result<void, ApiError> => {
  const version = stringAt(body, "metadata", "resourceVersion") ?? ""
  if (version !== "" || !core.behaviours.updateNeedsVersion || !needsVersion(write)) return Result.succeed(undefined)
  const { group, plural } = write.resource
  const message = "Invalid value: 0: must be specified for an update"
  const cause = { reason: "FieldValueInvalid", message, field: "metadata.resourceVersion" }
  return Result.fail(invalid({ name: write.name, group, kind: plural }, [cause]))
}

export const replace = (core: Core, write: Write, body: JsonObject): Result.Result<Written, ApiError> =>
  Result.gen(function* () {
    const old = existing(core, write)
    if (old === undefined) return yield* Result.fail(notFound(write.resource, write.name))
    yield* versionGiven(core, write, body)
    const uid = stringAt(body, "metadata", "uid") ?? ""
    const actual = stringAt(old, "metadata", "uid") ?? ""
    if (uid !== "" && uid !== actual && core.behaviours.uidMustMatch) {
      const key = `/registry/${write.resource.group}/${write.resource.plural}/${keyOf(write.namespace, write.name)}`
      const why = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${actual}`
      return yield* Result.fail(conflict(write.resource, write.name, why))
    }
    yield* current(core, write, body, old)
    return yield* settle(core, write, old, withAt(body, ["metadata", "uid"], actual))
  })

/** Writes what the patch made of the object. */
export const patched = (
  core: Core,
  write: Write,
  old: JsonObject,
  result: JsonObject
): Result.Result<Written, ApiError> =>
  Result.gen(function* () {
    if (stringAt(result, "metadata", "name") === undefined) {
      const why = `the name of the object (${write.name} based on URL) was undeterminable: name must be provided`
      return yield* Result.fail(badRequest(why))
    }
    const object = yield* placed(core, write, result)
    yield* versionGiven(core, write, object)
    yield* current(core, write, object, old)
    return yield* settle(core, write, old, object)
  })

/** Server-side apply: creates what is not there. */
export const apply = (core: Core, write: Write, asked: JsonObject, force: boolean): Result.Result<Written, ApiError> =>
  Result.gen(function* () {
    const { resource } = write
    const body = yield* placed(core, write, asked)
    const old = existing(core, write)
    const version = stringAt(body, "apiVersion")
    if (version !== apiVersionOf(resource) || stringAt(body, "kind") !== resource.kind) {
      return yield* Result.fail(
        badRequest(
          `invalid object type: ${version?.replace("/", "/, Kind=") ?? "/, Kind="}${stringAt(body, "kind") ?? ""}`
        )
      )
    }
    if (old !== undefined) yield* current(core, write, body, old)
    const relevant = write.subresource === "status" ? withAt(body, ["spec"], undefined) : body
    const mine = write.subresource === "" && hidesStatus(core, write) ? without(relevant, "status") : relevant
    const owning = core.behaviours.applyOwnsFields
    const { object, owners } = yield* applied(resource.schema, old, mine, writerOf(write, "Apply"), force || !owning)
    const kept = owning ? owners : undefined
    return yield* old === undefined ? create(core, write, object, kept) : settle(core, write, old, object, kept)
  })
