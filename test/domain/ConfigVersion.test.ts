import type { Schema } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { canonical, configVersion } from "../../src/domain/ConfigVersion.ts"

type Spec = { readonly [key: string]: Schema.Json }

/** Specs, their JSON as Go's encoding/json writes it, and Go's FNV-1a of that. */
const vectors: ReadonlyArray<readonly [version: string, spec: Spec, json: string]> = [
  ["aa32274dc7191c79", { templateID: "sample_template" }, '{"templateID":"sample_template"}'],
  [
    "99ef3f217295bc57",
    { templateID: "sample_template", restartRequestedAt: "2026-02-12T10:00:00Z" },
    '{"templateID":"sample_template","restartRequestedAt":"2026-02-12T10:00:00Z"}'
  ],
  [
    "da57f92fcc78d471",
    { templateID: "t", templateParameters: '{"a":"x<y"}' },
    String.raw`{"templateID":"t","templateParameters":"{\"a\":\"x\u003cy\"}"}`
  ],
  ["08f44b07b5901a25", {}, "{}"],
  [
    "d06116d85ebd4015",
    { name: "vm-1", vcpu: 4, memory: 8192, disk: 40 },
    '{"disk":40,"memory":8192,"name":"vm-1","vcpu":4}'
  ],
  [
    "3e9c72d2081e91f3",
    { name: "vm-1", templateParameters: '{"cpu":2}', templateID: "osac.templates.ocp_virt_vm" },
    String.raw`{"templateID":"osac.templates.ocp_virt_vm","templateParameters":"{\"cpu\":2}","name":"vm-1"}`
  ],
  [
    "64c066fd1edb184f",
    { templateID: "t", templateParameters: '{"a":"<>&\u2028\u2029"}' },
    String.raw`{"templateID":"t","templateParameters":"{\"a\":\"\u003c\u003e\u0026\u2028\u2029\"}"}`
  ],
  [
    "087ee5ef4f276255",
    { templateID: "t", templateParameters: '{"a":"grüße 🚀 日本\\n"}\n\t\r' },
    String.raw`{"templateID":"t","templateParameters":"{\"a\":\"grüße 🚀 日本\\n\"}\n\t\r"}`
  ],
  [
    "9c3f4d8cba4e5a44",
    { templateID: "t", templateParameters: '\b\f\u0001\u001f\u007f"\\/' },
    `${String.raw`{"templateID":"t","templateParameters":"\b\f\u0001\u001f`}\u007f${String.raw`\"\\/"}`}`
  ],
  [
    "20484349adbb3fb6",
    {
      vcpu: 1,
      restartRequestedAt: "2026-02-12T10:00:00Z",
      name: "n",
      memory: 1,
      templateParameters: "{}",
      disk: 1,
      templateID: "t"
    },
    '{"templateID":"t","templateParameters":"{}","restartRequestedAt":"2026-02-12T10:00:00Z","disk":1,"memory":1,"name":"n","vcpu":1}'
  ]
]

const value = fc.oneof(fc.string({ unit: "binary" }), fc.integer({ min: 1 }))
const spec = fc.dictionary(
  fc.constantFrom("templateID", "templateParameters", "restartRequestedAt", "name", "vcpu", "memory", "disk", "later"),
  value
)

describe("the config version", () => {
  for (const [version, spec, json] of vectors)
    it(`of ${JSON.stringify(spec)} is ${version}, as Go computes it`, () => {
      expect(canonical(spec)).toBe(json)
      expect(configVersion(spec)).toBe(version)
    })

  it("is 16 lower-case hexadecimal digits, also where the hash begins with zeros", () => {
    expect(configVersion({})).toMatch(/^0/u)
    fc.assert(fc.property(spec, (spec) => /^[0-9a-f]{16}$/u.test(configVersion(spec))))
  })

  it("is FNV-1a of 64 bits over the canonical text", () =>
    fc.assert(
      fc.property(spec, (spec) => {
        const hash = new TextEncoder()
          .encode(canonical(spec))
          .reduce((sum, byte) => BigInt.asUintN(64, (sum ^ BigInt(byte)) * 0x100000001b3n), 0xcbf29ce484222325n)
        expect(configVersion(spec)).toBe(hash.toString(16).padStart(16, "0"))
      })
    ))

  it("does not depend on the order of the keys", () =>
    fc.assert(
      fc.property(spec, fc.infiniteStream(fc.nat()), (spec, random) => {
        const shuffled = Object.entries(spec)
          .map((entry) => [random.next().value, entry] as const)
          .sort(([a], [b]) => a - b)
          .map(([, entry]) => entry)
        expect(configVersion(Object.fromEntries(shuffled))).toBe(configVersion(spec))
      })
    ))

  it("does not tell an absent field from a null one", () =>
    fc.assert(
      fc.property(spec, fc.constantFrom("name", "unheard"), (spec, key) => {
        const { [key]: _, ...without } = spec
        expect(configVersion({ ...without, [key]: null })).toBe(configVersion(without))
      })
    ))

  it("differs when a value differs, or when a field is there or not", () =>
    fc.assert(
      fc.property(spec, fc.constantFrom("templateID", "name", "vcpu"), value, (spec, key, other) => {
        const { [key]: before, ...without } = spec
        if (before !== undefined) expect(configVersion(without)).not.toBe(configVersion(spec))
        expect(configVersion({ ...spec, [key]: other }) === configVersion(spec)).toBe(before === other)
      })
    ))

  it("is of JSON that means the spec, whatever characters it holds", () =>
    fc.assert(
      fc.property(spec, (spec) => {
        expect(JSON.parse(canonical(spec))).toEqual(spec)
      })
    ))

  it("is of JSON in which nothing stands that Go escapes", () =>
    fc.assert(
      fc.property(fc.array(fc.constantFrom("<", ">", "&", "\u2028", "\u2029", "a", '"', "\\")), (characters) => {
        expect(canonical({ name: characters.join("") })).not.toMatch(/[<>&\u2028\u2029]/u)
      })
    ))
})
