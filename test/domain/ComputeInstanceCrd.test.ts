import { readFileSync } from "node:fs"
import { Schema } from "effect"
import { describe, expect, it } from "vitest"
import { parse } from "yaml"
import { structural } from "../../scripts/crd/structural.ts"
import { generated } from "../../scripts/generated.ts"

describe("a generated file", () => {
  for (const [path, content] of generated)
    it(`is what "npm run generate" writes: ${path}`, () => {
      expect(readFileSync(path, "utf8")).toBe(content)
    })
})

interface Node {
  readonly [keyword: string]: unknown
}
const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && !Array.isArray(value)
const nodeAt = (node: unknown, ...path: ReadonlyArray<string>): Node => {
  const found = path.reduce<unknown>((at, key) => (isNode(at) ? at[key] : undefined), node)
  if (!isNode(found)) throw new Error(`nothing at ${path.join(".")}`)
  return found
}
const listAt = (node: Node, key: string): ReadonlyArray<unknown> => {
  const list = node[key]
  return Array.isArray(list) ? list : []
}

const crd: unknown = parse(readFileSync("k8s/crd/cloudkit.openshift.io_computeinstances.yaml", "utf8"))
const [version] = listAt(nodeAt(crd, "spec"), "versions")
const root = nodeAt(version, "schema", "openAPIV3Schema")

/** Every node of the schema with its path. */
const walk = (node: Node, path: string): ReadonlyArray<readonly [path: string, node: Node]> => [
  [path, node],
  ...Object.entries(isNode(node.properties) ? node.properties : {}).flatMap(([name, child]) =>
    walk(nodeAt(child), `${path}.${name}`)
  ),
  ...(isNode(node.items) ? walk(node.items, `${path}[]`) : []),
  ...(isNode(node.additionalProperties) ? walk(node.additionalProperties, `${path}.*`) : [])
]
const nodes = walk(root, "")

/** The node that a jsonPath of a column or a selectable field points at. */
const pointedAt = (jsonPath: string): Node | undefined =>
  nodes.find(([path]) => path === jsonPath.replaceAll(/\[[^\]]*\]/gu, "[]"))?.[1]

describe("the CustomResourceDefinition", () => {
  it("is structural: every node has a type, and no keyword that the API server forbids", () => {
    const allowed =
      /^(description|type|format|enum|minimum|maximum|minLength|maxLength|pattern|properties|required|items|x-kubernetes-(list-type|list-map-keys|validations))$/u
    for (const [path, node] of nodes) {
      expect(node.type, path).toMatch(/^(object|array|string|integer|boolean)$/u)
      expect(
        Object.keys(node).filter((key) => !allowed.test(key)),
        path
      ).toEqual([])
      expect("items" in node, path).toBe(node.type === "array")
    }
  })
  it("requires only what it describes", () => {
    for (const [path, node] of nodes)
      for (const name of listAt(node, "required")) expect(nodeAt(node, "properties"), path).toHaveProperty(String(name))
  })
  it("describes every field, for kubectl explain", () => {
    for (const [path, node] of nodes)
      if (!path.endsWith("[]") && path !== ".metadata") expect(node.description, path).toMatch(/\S.*\.$/u)
  })
  it("keys lists of type map by fields that their items require", () => {
    const maps = nodes.filter(([, node]) => node["x-kubernetes-list-type"] === "map")
    expect(maps.map(([path]) => path)).toEqual([".status.conditions"])
    for (const [path, node] of maps)
      expect(listAt(nodeAt(node, "items"), "required"), path).toEqual(
        expect.arrayContaining([...listAt(node, "x-kubernetes-list-map-keys")])
      )
  })
  it("has the columns that people look for, and behind each a field that there is", () => {
    const columns = listAt(nodeAt(version), "additionalPrinterColumns").map((column) => nodeAt(column))
    expect(columns.map(({ name, priority }) => (priority === 1 ? `${name} (wide)` : name))).toEqual([
      ...["Phase", "Ready", "Reason", "Job", "State", "Age"],
      ...["Provider (wide)", "Message (wide)"]
    ])
    for (const { jsonPath } of columns)
      if (jsonPath !== ".metadata.creationTimestamp")
        expect(pointedAt(String(jsonPath)), String(jsonPath)).toBeDefined()
  })
  it("lets objects be selected by phase, and keeps status apart from spec", () => {
    expect(listAt(nodeAt(version), "selectableFields")).toEqual([{ jsonPath: ".status.phase" }])
    expect(nodeAt(version, "subresources")).toEqual({ status: {} })
  })
  it("keeps the status fields of the earlier operator, so that an upgrade prunes nothing", () => {
    for (const field of ["virtualMachineReference", "tenantReference", "lastRestartedAt"])
      expect(nodeAt(root, "properties", "status", "properties")).toHaveProperty(field)
  })
  it("has no upper bound on the size of a machine", () => {
    for (const field of ["vcpu", "memory", "disk"])
      expect(nodeAt(root, "properties", "spec", "properties", field)).toMatchObject({ type: "integer", minimum: 1 })
    expect(nodes.filter(([, node]) => "maximum" in node)).toEqual([])
  })
})

interface Tree {
  readonly children: ReadonlyArray<Tree>
}
const Tree = Schema.Struct({
  children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
}).annotate({ identifier: "Tree" })

describe("the conversion to a structural schema", () => {
  it("folds checks and references into one node", () => {
    const Bounded = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1), Schema.isLessThanOrEqualTo(9)).annotate({
      description: "d",
      identifier: "Bounded"
    })
    expect(structural(Schema.Struct({ a: Schema.optionalKey(Bounded), b: Schema.Array(Bounded) }))).toEqual({
      type: "object",
      properties: {
        a: { description: "d", type: "integer", minimum: 1, maximum: 9 },
        b: { type: "array", items: { description: "d", type: "integer", minimum: 1, maximum: 9 } }
      },
      required: ["b"]
    })
  })
  it("takes maps and lists of maps", () => {
    expect(structural(Schema.Record(Schema.String, Schema.String))).toEqual({
      type: "object",
      additionalProperties: { type: "string" }
    })
  })
  for (const [what, schema, where] of [
    ["a union", Schema.Struct({ a: Schema.Union([Schema.String, Schema.Boolean]) }), ".a"],
    ["a tuple", Schema.Struct({ a: Schema.Tuple([Schema.String]) }), ".a"],
    ["a value that may be anything", Schema.Struct({ a: Schema.Unknown }), ".a"],
    ["a schema that contains itself", Schema.Struct({ a: Tree }), ".a.children[]"]
  ] as const)
    it(`refuses ${what}, and says where it is`, () => {
      expect(() => structural(schema)).toThrow(where)
    })
})
