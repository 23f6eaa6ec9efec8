/** Lists: of one moment, in pages, selected. */
import { Result } from "effect"
import { type ApiError, badRequest, expired, invalidOptions, tooLargeResourceVersion } from "./ApiError.ts"
import type { Core } from "./Core.ts"
import { type JsonObject, numberAt, parseJson, stringAt } from "./Json.ts"
import type { Resource } from "./Resource.ts"
import { fieldSelector, labelSelector, type Selects } from "./Selectors.ts"

export interface Listing {
  readonly items: ReadonlyArray<JsonObject>
  readonly metadata: JsonObject
}

const tooOld =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list."

const encode = (revision: number, start: string): string =>
  Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: `${start}\u0000` })).toString("base64url")

interface Page {
  readonly revision: number
  readonly start: string
}

const decode = (token: string): Result.Result<Page, ApiError> => {
  const parsed = parseJson(Buffer.from(token, "base64url").toString("utf8"))
  const revision = Result.isSuccess(parsed) ? numberAt(parsed.success, "rv") : undefined
  const start = Result.isSuccess(parsed) ? stringAt(parsed.success, "start") : undefined
  return revision === undefined || start === undefined
    ? Result.fail(badRequest("invalid continue token: continue key is not valid"))
    : Result.succeed({ revision, start: start.replace("\u0000", "") })
}

/** The number of a resourceVersion; absent and `0` are `undefined`: any version will do. */
export const versionOf = (text: string | null): Result.Result<number | undefined, ApiError> => {
  if (text === null || text === "" || text === "0") return Result.succeed(undefined)
  return /^\d+$/u.test(text)
    ? Result.succeed(Number(text))
    : Result.fail(
        badRequest(
          `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`
        )
      )
}

export const selectorOf = (core: Core, resource: Resource, query: URLSearchParams): Result.Result<Selects, ApiError> =>
  Result.gen(function* () {
    const byLabel = yield* labelSelector(query.get("labelSelector") ?? "", core.behaviours)
    const byField = yield* fieldSelector(resource, query.get("fieldSelector") ?? "", core.behaviours)
    return (object: JsonObject) => byLabel(object) && byField(object)
  })

const forbiddenMatch = (message: string) =>
  invalidOptions("ListOptions", "resourceVersionMatch", "FieldValueForbidden", `Forbidden: ${message}`)

/** The moment a list is of. */
const momentOf = (core: Core, query: URLSearchParams): Result.Result<Page, ApiError> =>
  Result.gen(function* () {
    const { behaviours, store } = core
    const token = query.get("continue") ?? ""
    const match = query.get("resourceVersionMatch") ?? ""
    const asked = yield* versionOf(query.get("resourceVersion"))
    if (token !== "" && behaviours.listsPaged) {
      if (asked !== undefined) {
        return yield* Result.fail(badRequest("specifying resource version is not allowed when using continue"))
      }
      const page = yield* decode(token)
      if (page.revision < 0) return { ...page, revision: store.revision }
      if (page.revision < store.compacted && behaviours.continueExpires) {
        return yield* Result.fail(expired(tooOld, encode(-1, page.start)))
      }
      return behaviours.pagesConsistent ? page : { ...page, revision: store.revision }
    }
    if (match !== "" && (query.get("resourceVersion") ?? "") === "") {
      return yield* Result.fail(forbiddenMatch("resourceVersionMatch is forbidden unless resourceVersion is provided"))
    }
    if (asked === undefined || !behaviours.listsAtVersion) return { revision: store.revision, start: "" }
    if (asked > store.revision) return yield* Result.fail(tooLargeResourceVersion(asked, store.revision))
    const exactly = match === "Exact" || (match === "" && query.has("limit"))
    if (!exactly) return { revision: store.revision, start: "" }
    if (asked < store.compacted) {
      return yield* Result.fail(expired("The resourceVersion for the provided list is too old."))
    }
    return { revision: asked, start: "" }
  })

/** The objects of a kind, of one namespace or of all. */
export const list = (
  core: Core,
  resource: Resource,
  namespace: string | undefined,
  query: URLSearchParams
): Result.Result<Listing, ApiError> =>
  Result.gen(function* () {
    const limitText = query.get("limit") ?? "0"
    if (!/^\d+$/u.test(limitText)) {
      return yield* Result.fail(badRequest(`strconv.ParseInt: parsing ${JSON.stringify(limitText)}: invalid syntax`))
    }
    const limit = core.behaviours.listsPaged ? Number(limitText) : 0
    const selects = yield* selectorOf(core, resource, query)
    const { revision, start } = yield* momentOf(core, query)
    const objects = core.store.objectsAt(resource.storage, revision)
    const prefix = namespace === undefined ? "" : `${namespace}/`
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > start).sort()
    const items: Array<JsonObject> = []
    let last = ""
    let walked = 0
    for (const key of keys) {
      if (limit > 0 && items.length === limit) break
      const object = objects.get(key)
      if (object !== undefined && selects(object)) items.push(object)
      last = key
      walked++
    }
    const remaining = keys.length - walked
    const selected = ["labelSelector", "fieldSelector"].some((name) => (query.get(name) ?? "") !== "")
    return {
      items,
      metadata: {
        continue: remaining === 0 ? "" : encode(revision, last),
        ...(remaining === 0 || selected ? {} : { remainingItemCount: remaining }),
        resourceVersion: String(revision)
      }
    }
  })
