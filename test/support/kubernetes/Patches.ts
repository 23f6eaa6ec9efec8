/** Merge patches (RFC 7386) and JSON patches (RFC 6902). */
import { Result } from "effect"
import { type ApiError, badRequest, unprocessable } from "./ApiError.ts"
import { equal, isArray, isObject, type Json, type JsonObject, stringAt } from "./Json.ts"

/** The target with the patch merged in; `null` removes a key, unless that is switched off. */
export const mergePatch = (target: Json | undefined, patch: Json, nullRemoves = true): Json => {
  if (!isObject(patch)) return patch
  const result: Record<string, Json> = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null && nullRemoves) delete result[key]
    else if (value !== null) result[key] = mergePatch(result[key], value, nullRemoves)
  }
  return result
}

type Patched = Result.Result<Json, "impossible">
const impossible: Patched = Result.fail("impossible")

const find = (target: Json, pointer: ReadonlyArray<string>): Json | undefined =>
  pointer.reduce<Json | undefined>((inner, key) => {
    if (isArray(inner)) return inner[Number(key)]
    return isObject(inner) ? inner[key] : undefined
  }, target)

/** Changes what the last key of the pointer names, in the value that holds it. */
const edit = (
  target: Json,
  pointer: ReadonlyArray<string>,
  change: (holder: JsonObject | ReadonlyArray<Json>, key: string) => Patched
): Patched => {
  const [key, ...rest] = pointer
  if (key === undefined || (!isObject(target) && !isArray(target))) return impossible
  if (rest.length === 0) return change(target, key)
  const inner = find(target, [key])
  if (inner === undefined) return impossible
  return Result.map(edit(inner, rest, change), (edited) =>
    isArray(target) ? target.with(Number(key), edited) : { ...target, [key]: edited }
  )
}

const add = (target: Json, pointer: ReadonlyArray<string>, value: Json): Patched =>
  edit(target, pointer, (holder, key) => {
    if (isObject(holder)) return Result.succeed({ ...holder, [key]: value })
    if (!isArray(holder)) return impossible
    const index = key === "-" ? holder.length : Number(key)
    return index >= 0 && index <= holder.length ? Result.succeed(holder.toSpliced(index, 0, value)) : impossible
  })

const remove = (target: Json, pointer: ReadonlyArray<string>): Patched =>
  edit(target, pointer, (holder, key) => {
    if (find(holder, [key]) === undefined) return impossible
    if (isArray(holder)) return Result.succeed(holder.toSpliced(Number(key), 1))
    return Result.succeed(Object.fromEntries(Object.entries(holder).filter(([other]) => other !== key)))
  })

const pointerOf = (text: string): ReadonlyArray<string> =>
  text
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))

const operated = (target: Json, operation: JsonObject): Patched => {
  const pointer = pointerOf(stringAt(operation, "path") ?? "")
  const from = pointerOf(stringAt(operation, "from") ?? "")
  const value = operation.value ?? null
  switch (operation.op) {
    case "add":
      return add(target, pointer, value)
    case "remove":
      return remove(target, pointer)
    case "replace":
      return Result.flatMap(remove(target, pointer), (without) => add(without, pointer, value))
    case "move":
    case "copy": {
      const moved = find(target, from)
      if (moved === undefined) return impossible
      const source = operation.op === "move" ? remove(target, from) : Result.succeed(target)
      return Result.flatMap(source, (rest) => add(rest, pointer, moved))
    }
    case "test":
      return equal(find(target, pointer), value) ? Result.succeed(target) : impossible
    default:
      return impossible
  }
}

/** The target after every operation; 422 when one of them is not possible, and then none has happened. */
export const jsonPatch = (target: Json, patch: Json): Result.Result<Json, ApiError> => {
  if (!isArray(patch)) {
    return Result.fail(
      badRequest("error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp")
    )
  }
  const result = patch.reduce<Patched>(
    (patched, operation) =>
      Result.flatMap(patched, (value) => (isObject(operation) ? operated(value, operation) : impossible)),
    Result.succeed(target)
  )
  return Result.mapError(result, unprocessable)
}
