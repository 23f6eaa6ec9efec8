/**
 * From an Effect Schema to the structural schema that a CustomResourceDefinition demands.
 *
 * Guarantees that what comes out is structural, or throws and names the place: every node has a type, there are no
 * references, no unions and no keyword outside of the list below. Bounds that only say "a JavaScript integer" are left out.
 */
import { type JsonSchema, Schema } from "effect"

export type Structural = { readonly [keyword: string]: Schema.Json }

/** Keywords that a structural schema may carry and that mean the same in JSON Schema, in the order they are printed. */
const shared = [
  "description",
  "type",
  "format",
  "enum",
  "default",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "pattern",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-map-type",
  "x-kubernetes-validations",
  "x-kubernetes-preserve-unknown-fields"
]
const handled = new Set([...shared, "$ref", "allOf", "properties", "required", "items", "additionalProperties"])

type Node = { readonly [keyword: string]: unknown }

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && !Array.isArray(value)
const isJson = Schema.is(Schema.Json)

const notStructural = (path: string, why: string): Error => new Error(`${path} is not structural: ${why}`)

const toNode = (value: unknown, path: string): Node => {
  if (isNode(value)) return value
  throw notStructural(path, "a schema must be an object")
}

/** Where a node stands: for messages, and to notice a schema that contains itself. */
interface Place {
  readonly definitions: JsonSchema.Definitions
  readonly path: string
  /** The definitions that lead here. */
  readonly within: ReadonlyArray<string>
}

interface Flat {
  readonly node: Node
  readonly within: ReadonlyArray<string>
}

/** The node with its references and conjunctions folded in; what stands nearer to the node wins. */
const flatten = ({ $ref, allOf, ...own }: Node, place: Place): Flat => {
  let { within } = place
  let node: Node = {}
  if (typeof $ref === "string") {
    const name = $ref.slice($ref.lastIndexOf("/") + 1)
    if (within.includes(name)) throw notStructural(place.path, `${name} contains itself`)
    const target = flatten(toNode(place.definitions[name], place.path), { ...place, within: [...within, name] })
    node = target.node
    within = target.within
  }
  node = { ...node, ...own }
  for (const part of Array.isArray(allOf) ? allOf : [])
    node = { ...node, ...flatten(toNode(part, place.path), place).node }
  return { node, within }
}

const isNoise = (keyword: string, value: unknown): boolean =>
  (keyword === "minimum" && value === Number.MIN_SAFE_INTEGER) ||
  (keyword === "maximum" && value === Number.MAX_SAFE_INTEGER)

const convert = (input: unknown, place: Place): Structural => {
  const { path } = place
  const { node, within } = flatten(toNode(input, path), place)
  const child = (value: unknown, step: string): Structural => convert(value, { ...place, path: path + step, within })
  const foreign = Object.keys(node).filter((keyword) => !handled.has(keyword))
  if (foreign.length > 0) throw notStructural(path, `${foreign.join(", ")} cannot be expressed`)
  if (typeof node.type !== "string" && node["x-kubernetes-preserve-unknown-fields"] !== true)
    throw notStructural(path, "it has no type")

  const out: { [keyword: string]: Schema.Json } = {}
  for (const keyword of shared) {
    const value = node[keyword]
    if (value === undefined || isNoise(keyword, value)) continue
    if (!isJson(value)) throw notStructural(path, `${keyword} is not JSON`)
    out[keyword] = value
  }
  if (isNode(node.properties))
    out.properties = Object.fromEntries(
      Object.entries(node.properties).map(([name, property]) => [name, child(property, `.${name}`)])
    )
  if (Array.isArray(node.required) && node.required.length > 0) out.required = node.required.map(String)
  if (node.items !== undefined) out.items = child(node.items, "[]")
  if (isNode(node.additionalProperties)) out.additionalProperties = child(node.additionalProperties, ".*")
  return out
}

export const structural = (schema: Schema.Top): Structural => {
  const { definitions, schema: root } = Schema.toJsonSchemaDocument(schema, {
    includeAnnotationKey: (key) => key.startsWith("x-kubernetes-")
  })
  return convert(root, { definitions, path: "", within: [] })
}
