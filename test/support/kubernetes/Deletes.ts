/** Deletion: at once, or a mark on an object that finalizers hold. */
import { Result } from "effect"
import { type ApiError, deleteConflict, notFound } from "./ApiError.ts"
import type { Core, Write } from "./Core.ts"
import { at, type JsonObject, numberAt, objectAt, stringAt, stringsAt } from "./Json.ts"
import { existing, keep } from "./Writes.ts"

export interface DeleteOptions {
  readonly uid: string | undefined
  readonly resourceVersion: string | undefined
  readonly propagation: string | undefined
}

const precondition = (core: Core, write: Write, old: JsonObject, options: DeleteOptions): ApiError | undefined => {
  if (!core.behaviours.deletePreconditions) return undefined
  const uid = stringAt(old, "metadata", "uid")
  const version = stringAt(old, "metadata", "resourceVersion")
  if (options.uid !== undefined && options.uid !== uid) {
    const why = `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`
    return deleteConflict(write.resource, write.name, why)
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== version) {
    const why = `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${version}). The object might have been modified`
    return deleteConflict(write.resource, write.name, why)
  }
  return undefined
}

/** Deletes the object, or marks it for deletion when finalizers hold it; `undefined` when it is gone. */
export const remove = (
  core: Core,
  write: Write,
  options: DeleteOptions
): Result.Result<{ readonly before: JsonObject; readonly left: JsonObject | undefined }, ApiError> => {
  const old = existing(core, write)
  if (old === undefined) return Result.fail(notFound(write.resource, write.name))
  const refusal = precondition(core, write, old, options)
  if (refusal !== undefined) return Result.fail(refusal)
  const waiting = { Foreground: ["foregroundDeletion"], Orphan: ["orphan"] }[options.propagation ?? ""] ?? []
  const finalizers = [...new Set([...stringsAt(old, "metadata", "finalizers"), ...waiting])]
  if (finalizers.length === 0 || !core.behaviours.finalizersHoldObjects) {
    keep(core, write, old, true)
    return Result.succeed({ before: old, left: undefined })
  }
  if (at(old, "metadata", "deletionTimestamp") !== undefined) return Result.succeed({ before: old, left: old })
  const generation = numberAt(old, "metadata", "generation")
  const marked: JsonObject = {
    ...old,
    metadata: {
      ...objectAt(old, "metadata"),
      deletionTimestamp: write.now,
      deletionGracePeriodSeconds: 0,
      finalizers,
      ...(generation === undefined ? {} : { generation: generation + 1 })
    }
  }
  return Result.succeed({ before: old, left: keep(core, write, marked) })
}
