/**
 * Sets of fields, as `managedFields` writes them: which paths of an object someone has set, and their values.
 *
 * A path is its segments (`f:name`, `k:{"type":"Ready"}`, `v:"item"`) joined; a map or list itself is a path of its own.
 */
import { childSchema } from "./Completion.ts"
import { equal, isArray, isObject, type Json, type JsonObject, objectAt } from "./Json.ts"
import { identityOf } from "./Validation.ts"

/** What a map or list itself has for a value: only its being there counts. */
export const container = Symbol("container")

export type Fields = ReadonlyMap<string, Json | typeof container>

const separator = "\u001f"

export const segmentsOf = (path: string): ReadonlyArray<string> => path.split(separator)
export const pathOf = (segments: ReadonlyArray<string>): string => segments.join(separator)
const join = (path: string, segment: string): string => (path === "" ? segment : `${path}${separator}${segment}`)

const metadataSchema: JsonObject = {
  properties: {
    labels: { additionalProperties: {} },
    annotations: { additionalProperties: {} },
    finalizers: { "x-kubernetes-list-type": "set" },
    ownerReferences: { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["uid"] }
  }
}

/** The schema of a whole object as ownership sees it. */
export const ownershipSchema = (schema: JsonObject | undefined): JsonObject => ({
  ...schema,
  properties: { ...objectAt(schema, "properties"), metadata: metadataSchema }
})

const ownable = ["labels", "annotations", "finalizers", "ownerReferences"]

/** The object without what nobody owns: its identity and what the server keeps itself. */
const ownedPart = (object: JsonObject): JsonObject => {
  const { apiVersion: _v, kind: _k, metadata, ...content } = object
  const owned = Object.entries(isObject(metadata) ? metadata : {}).filter(([key]) => ownable.includes(key))
  return { ...(owned.length === 0 ? {} : { metadata: Object.fromEntries(owned) }), ...content }
}

const walk = (
  schema: JsonObject,
  value: Json,
  path: string,
  containers: boolean,
  into: Map<string, Json | typeof container>
): void => {
  const whole = () => {
    if (path !== "" && path !== "f:metadata") into.set(path, container)
  }
  if (isObject(value) && schema["x-kubernetes-map-type"] !== "atomic") {
    if (containers || Object.keys(value).length === 0) whole()
    for (const [key, inner] of Object.entries(value)) {
      walk(childSchema(schema, key) ?? {}, inner, join(path, `f:${key}`), containers, into)
    }
    return
  }
  const listType = isArray(value) ? schema["x-kubernetes-list-type"] : undefined
  if (!isArray(value) || (listType !== "set" && listType !== "map")) {
    into.set(path, value)
    return
  }
  if (containers || value.length === 0) whole()
  for (const item of value) {
    const identity = JSON.stringify(identityOf(schema, item))
    if (listType === "set") into.set(join(path, `v:${identity}`), item)
    else {
      const itemPath = join(path, `k:${identity}`)
      into.set(itemPath, container)
      for (const [key, inner] of Object.entries(isObject(item) ? item : {})) {
        walk(childSchema(objectAt(schema, "items"), key) ?? {}, inner, join(itemPath, `f:${key}`), containers, into)
      }
    }
  }
}

/** Every field of the object; with `containers`, its maps and lists as well, not only their contents. */
export const fieldsOf = (schema: JsonObject, object: JsonObject, containers: boolean): Fields => {
  const into = new Map<string, Json | typeof container>()
  walk(schema, ownedPart(object), "", containers, into)
  return into
}

export const sameField = (a: Json | typeof container | undefined, b: Json | typeof container | undefined): boolean =>
  a === b || (typeof a !== "symbol" && typeof b !== "symbol" && equal(a, b))

/** A set of paths in the form of `fieldsV1`. */
export const encodeFields = (paths: ReadonlySet<string>): JsonObject => {
  interface Node {
    readonly children: Map<string, Node>
    member: boolean
  }
  const root: Node = { children: new Map(), member: false }
  for (const path of paths) {
    let node = root
    for (const segment of segmentsOf(path)) {
      const child: Node = node.children.get(segment) ?? { children: new Map(), member: false }
      node.children.set(segment, child)
      node = child
    }
    node.member = true
  }
  const written = (node: Node): JsonObject => ({
    ...(node.member && node.children.size > 0 ? { ".": {} } : {}),
    ...Object.fromEntries([...node.children].map(([segment, child]) => [segment, written(child)]))
  })
  return written(root)
}

export const decodeFields = (fields: JsonObject): ReadonlySet<string> => {
  const paths = new Set<string>()
  const read = (node: JsonObject, path: string) => {
    if ("." in node || (path !== "" && Object.keys(node).length === 0)) paths.add(path)
    for (const [segment, child] of Object.entries(node)) {
      if (segment !== "." && isObject(child)) read(child, join(path, segment))
    }
  }
  read(fields, "")
  return paths
}
