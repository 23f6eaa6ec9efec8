/** Where template parameters are broken, and how much of them is told: the place always, the content never. */
import { Result } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { decode } from "../../src/domain/Instance.ts"
import { objectOf } from "./support/objects.ts"

const complaint = (templateParameters: string): string =>
  Result.match(decode(objectOf({ spec: { templateID: "t", templateParameters } })).spec, {
    onSuccess: () => "",
    onFailure: (message) => message
  })
const positionIn = (message: string): number => Number(/position (\d+)/u.exec(message)?.[1] ?? Number.NaN)

/** What the engine says of a text; "" where nothing is wrong with it. */
const engine = (text: string): string => {
  try {
    JSON.parse(text)
    return ""
  } catch (cause) {
    return cause instanceof Error ? cause.message : ""
  }
}

const piece = fc.constantFrom(
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  '"',
  '"a"',
  "1",
  "-",
  ".5",
  "e",
  "tru",
  "true",
  "null",
  "\\",
  "\\u00",
  " ",
  "\n",
  "\u0000",
  "x"
)
/** Texts that begin well and go on badly. */
const broken = fc
  .tuple(fc.nat(24), fc.array(piece, { minLength: 1, maxLength: 8 }))
  .map(([length, pieces]) => `{"a":[1,{"b":null},"c"]}`.slice(0, length) + pieces.join(""))

/** The engine points behind the beginning of a number that is broken in its fraction or exponent. */
const ofNumbers = /number|fraction|exponent/iu

describe("broken template parameters", () => {
  it("are refused exactly where the engine refuses them, and hold an object everywhere else", () => {
    fc.assert(
      fc.property(broken, (text) => {
        const said = engine(text)
        if (said === "") expect(complaint(text)).not.toContain("is not valid JSON")
        else expect(complaint(text)).toContain("is not valid JSON")
        if (ofNumbers.test(said) || !said.includes("position")) return
        expect(positionIn(complaint(text))).toBe(positionIn(said))
      }),
      { numRuns: 2_000 }
    )
  })

  it("have a position even where the engine gives none, no further than the end", () => {
    fc.assert(
      fc.property(broken, (text) => {
        fc.pre(engine(text) !== "")
        const position = positionIn(complaint(text))
        expect(position).toBeGreaterThanOrEqual(0)
        expect(position).toBeLessThanOrEqual(text.length)
      }),
      { numRuns: 1_000 }
    )
  })

  it("are told of in one short line, whatever they are", () => {
    fc.assert(
      fc.property(broken, (text) => {
        expect(complaint(text).length).toBeLessThan(150)
        expect(complaint(text)).not.toContain("\n")
      }),
      { numRuns: 1_000 }
    )
  })

  it.each([
    ["deep", `{"a":${"[".repeat(250_000)}`, 250_005],
    ["deep and closed wrongly", `{"a":${"[".repeat(100_000)}}`, 100_005],
    ["one long string", `{"a":"${"x".repeat(250_000)}`, 250_006],
    ["many keys", `{${'"a":1,'.repeat(40_000)}`, 240_001],
    ["one long number", `{"a":${"1".repeat(250_000)}x`, 250_005]
  ])("may be %s: neither depth nor length breaks the operator", (_, text, position) => {
    expect(positionIn(complaint(text))).toBe(position)
  })
})
