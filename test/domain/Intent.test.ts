/** Keys and intents: what is written before a provider is called, and read by whoever comes after. */
import { Result } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isClosed, keyOf, parse, print, readKey } from "../../src/domain/Intent.ts"
import { intent, jobs, operation } from "./support/arbitraries.ts"
import { intentFor, job, UID, versions } from "./support/objects.ts"

describe("a key", () => {
  it("names object, operation, config version (of a provision) and attempt", () => {
    expect(keyOf(UID, "provision", versions.A, 3)).toBe(`${UID}/provision/${versions.A}/3`)
    expect(keyOf(UID, "deprovision", versions.A, 3)).toBe(`${UID}/deprovision/3`)
  })

  it("is read back as it was made", () => {
    fc.assert(
      fc.property(
        fc.uuid(),
        operation,
        fc.constantFrom(versions.A, versions.B),
        fc.integer({ min: 1, max: 1e6 }),
        (uid, of, version, attempt) => {
          expect(readKey(keyOf(uid, of, version, attempt))).toEqual({
            uid,
            operation: of,
            configVersion: of === "provision" ? version : undefined,
            attempt
          })
        }
      ),
      { numRuns: 1_000 }
    )
  })

  it("is another one whenever another job is meant", () => {
    const part = fc.tuple(
      fc.constantFrom("u1", "u2"),
      operation,
      fc.constantFrom("a1", "b2"),
      fc.integer({ min: 1, max: 12 })
    )
    fc.assert(
      fc.property(part, part, (one, other) => {
        const same =
          one[0] === other[0] &&
          one[1] === other[1] &&
          one[3] === other[3] &&
          (one[1] === "deprovision" || one[2] === other[2])
        expect(keyOf(...one) === keyOf(...other)).toBe(same)
      }),
      { numRuns: 1_000 }
    )
  })

  it.each([
    "",
    "x",
    "u/provision/a1",
    "u/provision/a1/x",
    "u/reprovision/a1/1",
    "u/v/provision/a1/1",
    "u/provision/A1/1",
    "u/provision/a1/1/2"
  ])("of somebody else (%j) is none of ours", (text) => {
    expect(readKey(text)).toBeUndefined()
  })
})

describe("an intent", () => {
  it("is read back as it was written", () => {
    fc.assert(
      fc.property(intent, (one) => {
        expect(parse(print(one))).toEqual(Result.succeed(one))
      }),
      { numRuns: 1_000 }
    )
  })

  it("that is broken is a value that says so", () => {
    for (const text of [
      "",
      "{",
      "[]",
      "{}",
      '{"key":1}',
      print(intentFor("provision")).replace('"operation":"provision"', '"operation":"x"')
    ]) {
      expect(Result.isFailure(parse(text))).toBe(true)
    }
  })

  it("of a newer writer, with more fields, is read all the same", () => {
    const text = JSON.stringify({ ...intentFor("provision"), colour: "blue" })
    expect(parse(text)).toEqual(Result.succeed(intentFor("provision")))
  })
})

describe("a record closes an intent", () => {
  const one = intentFor("provision")
  const launch = {
    key: one.key,
    stamp: one.stamp,
    operation: one.operation,
    outcome: "Refused" as const,
    time: one.stamp
  }

  it("only when it names both its key and its stamp", () => {
    expect(isClosed(one, [], undefined)).toBe(false)
    expect(
      isClosed(one, [job("provision", "Running", { launchKey: one.key, launchStamp: one.stamp })], undefined)
    ).toBe(true)
    expect(
      isClosed(one, [job("provision", "Running", { launchKey: one.key, launchStamp: "another" })], undefined)
    ).toBe(false)
    expect(
      isClosed(one, [job("provision", "Running", { launchKey: "another", launchStamp: one.stamp })], undefined)
    ).toBe(false)
    expect(isClosed(one, [], launch)).toBe(true)
    expect(isClosed(one, [], { ...launch, stamp: "another" })).toBe(false)
    expect(isClosed(one, [], { ...launch, key: "another" })).toBe(false)
  })

  it("whatever the outcome, and wherever in the history", () => {
    for (const outcome of ["Refused", "NotFound", "Unknown"] as const)
      expect(isClosed(one, [], { ...launch, outcome })).toBe(true)
    fc.assert(
      fc.property(jobs, fc.nat(5), (all, index) => {
        const closing = job("provision", "Failed", { launchKey: one.key, launchStamp: one.stamp })
        expect(isClosed(one, [...all.slice(0, index), closing, ...all.slice(index)], undefined)).toBe(true)
      }),
      { numRuns: 1_000 }
    )
  })
})
