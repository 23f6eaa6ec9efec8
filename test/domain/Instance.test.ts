/** Objects as people, other writers and broken clients leave them: each is understood, or said to be wrong. */
import { Result } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { decide } from "../../src/domain/Decision.ts"
import { decode } from "../../src/domain/Instance.ts"
import { INTENT_ANNOTATION, print } from "../../src/domain/Intent.ts"
import type { JsonObject, KubernetesObject } from "../../src/domain/Resource.ts"
import { project, statusPatch } from "../../src/domain/Status.ts"
import {
  historyOf,
  intentFor,
  job,
  knowledge,
  look,
  objectOf,
  specs,
  step,
  versions,
  written
} from "./support/objects.ts"

const SECRET = "hunter2-hunter2"

/** What is said of a spec, or "" where nothing is wrong with it. */
const complaint = (spec: JsonObject): string =>
  Result.match(decode(objectOf({ spec })).spec, { onSuccess: () => "", onFailure: (message) => message })
const recordComplaint = (status: JsonObject): string =>
  Result.match(decode(objectOf({ status })).history, { onSuccess: () => "", onFailure: (message) => message })
const parameters = (templateParameters: string) => complaint({ templateID: "t", templateParameters })

describe("template parameters", () => {
  it("that hold a JSON object are fine, whatever is in it", () => {
    for (const sound of ["{}", ' {"a": {"b": [1, null, "é\u2028"]}}\n', '{"a":"\\u0000"}'])
      expect(parameters(sound)).toBe("")
  })

  it.each(["[]", "1", "null", '"text"', "true"])("that hold %s are another JSON value, and said to be", (value) => {
    expect(parameters(value)).toMatch(/spec\.templateParameters.*JSON object/u)
  })

  it.each([
    [`{"password":"${SECRET}",}`, 30],
    [`{"password":"${SECRET}"`, 29],
    [`{"password": ${SECRET}}`, 13],
    [`${SECRET}`, 0],
    [`{"password":"${SECRET}"} ${SECRET}`, 31],
    [`{"password":"${SECRET}\n"}`, 28],
    [`{"password":"${SECRET}" "is not valid JSON"}`, 30],
    [`{"${SECRET}":tru}`, 22],
    ["", 0]
  ])("that are not JSON (%j) are refused with the position, and without an excerpt", (value, position) => {
    const said = parameters(value)
    expect(said).toMatch(new RegExp(`^spec\\.templateParameters is not valid JSON: .*position ${position}\\b`, "u"))
    expect(said).not.toContain("hunter")
  })

  it("never appear in what is said of them, wherever they are broken", () => {
    fc.assert(
      fc.property(fc.nat(60), fc.constantFrom("", "}", '"', "\n", "'", "\u0000", "x", "...", ","), (at, wrong) => {
        const text = `{"user":"hunter2","password":"hunter2","more":{"hunter2":["hunter2"]}}`
        expect(parameters(text.slice(0, at) + wrong + text.slice(at + 1))).not.toContain("hunter")
      }),
      { numRuns: 1_000 }
    )
  })

  it("of 300 KB are refused in a sentence", () => {
    const said = parameters(`{"password":"${SECRET}","a":"${"x".repeat(300_000)}"}`)
    expect(said).toMatch(/templateParameters/u)
    expect(said).toMatch(/262144/u)
    expect(said.length).toBeLessThan(300)
    expect(said).not.toContain(SECRET)
  })

  it("as long as they may be are fine", () => {
    expect(parameters(`{"a":"${"x".repeat(262_144 - 8)}"}`)).toBe("")
  })
})

describe("a spec", () => {
  it("of wrong types is refused with every place that is wrong, and none of what is there", () => {
    const said = complaint({
      templateID: 5,
      vcpu: "two",
      memory: 0,
      name: SECRET.toUpperCase(),
      templateParameters: { SECRET }
    })
    for (const place of ["templateID", "vcpu", "memory", "name", "templateParameters"]) expect(said).toContain(place)
    expect(said.toLowerCase()).not.toContain("hunter")
  })

  it("needs a name or a template", () => {
    expect(complaint({ vcpu: 2 })).toMatch(/name and templateID/u)
    expect(complaint({})).toMatch(/name and templateID/u)
    expect(complaint({ name: "vm" })).toBe("")
  })

  it("may hold nulls, as Go writes them, for what is absent", () => {
    expect(complaint({ ...specs.A, name: null, vcpu: null, memory: null, restartRequestedAt: null })).toBe("")
  })

  it("may hold fields that nobody knows, which change the version all the same", () => {
    expect(complaint({ ...specs.A, runStrategy: "Always" })).toBe("")
    expect(decode(objectOf({ spec: { ...specs.A, runStrategy: "Always" } })).desiredVersion).not.toBe(versions.A)
  })

  it("that is missing, or no object, is a wrong spec and no crash", () => {
    const { spec: _, ...without } = objectOf({})
    for (const spec of [null, "text", 5, [], true])
      expect(Result.isFailure(decode({ ...without, spec }).spec)).toBe(true)
    expect(Result.isFailure(decode(without).spec)).toBe(true)
  })
})

describe("a record", () => {
  it("may be missing, empty, or full of the nulls that Go writes", () => {
    const { status: _, ...without } = objectOf({})
    const empty = { jobs: [], attempts: { provision: 0, deprovision: 0 }, lostLaunches: [] }
    expect(historyOf(without)).toMatchObject(empty)
    const nulls = { jobs: null, conditions: null, attempts: null, launch: null, lostLaunches: null, provisionJob: null }
    expect(recordComplaint({ ...nulls, phase: null, reconciledConfigVersion: null })).toBe("")
    expect(historyOf(objectOf({ status: nulls }))).toMatchObject(empty)
  })

  it("with nulls inside a job is understood", () => {
    const status = {
      jobs: [{ jobID: "5", type: "provision", state: "Running", message: null, timestamp: null, provider: null }]
    }
    expect(historyOf(objectOf({ status })).jobs).toMatchObject([{ jobID: "5", state: "Running" }])
  })

  it("with a mark of a lost launch as it was before marks named a uid is understood", () => {
    const mark = { provider: "aap", template: "t", operation: "provision", since: "2026-11-21T11:00:00Z" }
    expect(historyOf(objectOf({ status: { lostLaunches: [mark] } })).lostLaunches).toEqual([mark])
  })

  it.each([
    { jobs: [{ jobID: 5, type: "provision", state: "Running" }] },
    { jobs: [{ jobID: "5", type: "reprovision", state: "Running" }] },
    { jobs: [null] },
    { jobs: ["41"] },
    { jobs: [{ jobID: "5", type: "provision", state: "Running", attempt: "one" }] },
    { attempts: { provision: 1.5 } },
    { attempts: [] },
    { launch: { key: "k" } },
    { lostLaunches: [{ provider: "aap" }] },
    { jobs: "41" },
    { jobs: { jobID: "41", type: "provision", state: "Running" } }
  ])("that cannot be understood (%j) is left to a person, and nothing is launched", (status) => {
    expect(step({ status })).toMatchObject({
      _tag: "Block",
      reason: "RecordInvalid",
      message: expect.stringMatching(/^status/u)
    })
    expect(step({ status, deleting: true })).toMatchObject({ _tag: "Block", reason: "RecordInvalid" })
  })

  it("never appears in what is said of it", () => {
    const said = recordComplaint({
      jobs: [{ jobID: "5", type: SECRET, state: "Running", message: SECRET }],
      desiredConfigVersion: 5
    })
    expect(said).toContain("type")
    expect(said).not.toContain(SECRET)
  })

  it("with a state that nobody knows is not terminal, and keeps the word", () => {
    const one = { jobID: "5", type: "provision", state: "Exploded" }
    expect(historyOf(objectOf({ status: { jobs: [one] } })).jobs).toMatchObject([
      { state: "Unknown", message: expect.stringContaining("Exploded") }
    ])
    const odd = {
      jobs: [
        { ...one, state: 5, provider: "aap" },
        { ...one, state: null, jobID: "6", provider: "aap" }
      ]
    }
    expect(step({ status: odd })).toMatchObject({ _tag: "Follow", job: { jobID: "5" } })
  })

  it("keeps the word of an unknown state beside the message that was there", () => {
    const one = { jobID: "5", type: "provision", state: "Exploded", message: "as they said" }
    const [read] = historyOf(objectOf({ status: { jobs: [one] } })).jobs
    expect(read?.message).toContain("Exploded")
  })

  it("of a launch that never got an id does not count", () => {
    const status = {
      jobs: [{ jobID: "", type: "provision", state: "Failed", message: "Failed to trigger provisioning" }]
    }
    expect(historyOf(objectOf({ status })).jobs).toEqual([])
    expect(step({ status, finalizers: [] })).toMatchObject({ _tag: "Launch", operation: "provision" })
  })

  it("takes the highest attempt from wherever it is told", () => {
    const jobs = [job("provision", "Failed", { attempt: 4 }), job("deprovision", "Failed", { attempt: 2 })]
    expect(historyOf(objectOf({ jobs })).attempts).toEqual({ provision: 4, deprovision: 2 })
    const told = { provision: 9 }
    expect(historyOf(objectOf({ jobs, status: { attempts: told } })).attempts).toEqual({ provision: 9, deprovision: 2 })
  })

  it("with control characters and lone surrogates is carried as it is", () => {
    const message = "a\u0000b\u001b[31m\ud800"
    const [read] = historyOf(objectOf({ jobs: [job("provision", "Failed", { message })] })).jobs
    expect(read?.message).toBe(message)
    expect(() => written({ jobs: [job("provision", "Failed", { message })] })).not.toThrow()
  })
})

describe("metadata", () => {
  it("with nulls where Go writes them is understood", () => {
    const text = JSON.stringify(objectOf({}))
      .replace(/"finalizers":\[[^\]]*\]/u, '"finalizers":null')
      .replace('"annotations":{}', '"annotations":null')
    const object: KubernetesObject = JSON.parse(text)
    expect(decode(object)).toMatchObject({ holdsFinalizer: false, intent: undefined, management: "managed" })
  })

  it("with an intent that is none is an object without one, and says nothing of what it holds", () => {
    for (const value of [
      "",
      "x",
      "{}",
      "[]",
      "null",
      '{"key":5}',
      print(intentFor("provision")).replace('"attempt":1', '"attempt":"1"')
    ]) {
      expect(look({ annotations: { [INTENT_ANNOTATION]: value } }).instance.intent).toBeUndefined()
    }
  })

  it("with an intent written for another name is a copy's, and no intent", () => {
    expect(look({ intent: intentFor("provision", { object: "other/vm" }) }).instance.intent).toBeUndefined()
    expect(look({ intent: intentFor("provision") }).instance.intent).toEqual(intentFor("provision"))
  })
})

describe("any object at all", () => {
  const anything = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)))
  const key = fc.constantFrom(
    "jobs",
    "conditions",
    "attempts",
    "launch",
    "lostLaunches",
    "provisionJob",
    "phase",
    "templateID",
    "templateParameters",
    "vcpu"
  )
  const odd = fc.oneof(anything, fc.dictionary(key, anything, { maxKeys: 4 }))

  it("is understood, decided on, and projected, without a crash", () => {
    fc.assert(
      fc.property(
        odd,
        odd,
        fc.dictionary(fc.constantFrom(INTENT_ANNOTATION, "cloudkit.openshift.io/adopt-job"), fc.string()),
        fc.boolean(),
        (spec, status, annotations, deleting) => {
          const object = { ...objectOf({ annotations, deleting }), spec, status }
          const instance = decode(object)
          const o = { ...look({}), instance, history: historyOf(object) }
          const known = { ...knowledge({}), ...o, step: decide(o) }
          expect(project(known)).toHaveProperty("phase")
          expect(statusPatch(known)).toBeDefined()
        }
      ),
      { numRuns: 1_000 }
    )
  })
})
