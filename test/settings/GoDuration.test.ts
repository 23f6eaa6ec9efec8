import { Option } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { parse, print } from "../../src/settings/GoDuration.ts"

const nanoseconds = (text: string): bigint | undefined => Option.getOrUndefined(parse(text))

/** What Go 1.26's time.ParseDuration answered. */
const read: ReadonlyArray<readonly [string, bigint]> = [
  ["0", 0n],
  ["-0", 0n],
  ["0s", 0n],
  ["5s", 5_000_000_000n],
  ["+5s", 5_000_000_000n],
  ["-5.s", -5_000_000_000n],
  [".5s", 500_000_000n],
  ["1.5h", 5_400_000_000_000n],
  ["1h30m", 5_400_000_000_000n],
  ["30m1h", 5_400_000_000_000n],
  ["1h1h", 7_200_000_000_000n],
  ["3h30m0s", 12_600_000_000_000n],
  ["500ms", 500_000_000n],
  ["1us", 1_000n],
  ["1µs", 1_000n],
  ["1μs", 1_000n],
  ["1.0000000019s", 1_000_000_001n],
  ["2562047h47m16.854775807s", 9_223_372_036_854_775_807n],
  ["-9223372036854775808ns", -9_223_372_036_854_775_808n]
]

const refused = [
  "",
  " ",
  "30",
  "s",
  ".s",
  ".",
  "-",
  "+",
  "-.s",
  "1 s",
  " 1s",
  "1s ",
  "1S",
  "1d",
  "1sec",
  "10m30",
  "1h-1m",
  "--1s",
  "1e3s",
  "0x1s",
  "1.2.3s",
  "1,5s",
  "٣s",
  "9223372036854775808ns",
  "2562048h",
  "1y"
]

describe("a Go duration", () => {
  for (const [text, value] of read) it(`is read: ${text}`, () => expect(nanoseconds(text)).toBe(value))
  for (const text of refused) it(`is not ${JSON.stringify(text)}`, () => expect(nanoseconds(text)).toBeUndefined())

  for (const [value, text] of [
    [0n, "0s"],
    [1n, "1ns"],
    [1_100n, "1.1µs"],
    [2_200_000n, "2.2ms"],
    [3_300_000_000n, "3.3s"],
    [245_000_000_000n, "4m5s"],
    [245_001_000_000n, "4m5.001s"],
    [18_367_001_000_000n, "5h6m7.001s"],
    [36_000_000_000_000n, "10h0m0s"],
    [-90_000_000_000n, "-1m30s"],
    [9_223_372_036_854_775_807n, "2562047h47m16.854775807s"]
  ] as const)
    it(`is printed as Go prints it: ${text}`, () => expect(print(value)).toBe(text))

  it("is read back as it was printed", () =>
    fc.assert(fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (value) => nanoseconds(print(value)) === value)))

  it("is the sum of its terms, in any order, times its sign", () => {
    const size = { h: 3_600_000_000_000n, m: 60_000_000_000n, s: 1_000_000_000n, ms: 1_000_000n, us: 1_000n, ns: 1n }
    const term = fc.record({ count: fc.bigInt(0n, 9_999n), unit: fc.constantFrom("h", "m", "s", "ms", "us", "ns") })
    fc.assert(
      fc.property(fc.constantFrom("", "+", "-"), fc.array(term, { minLength: 1, maxLength: 6 }), (sign, terms) => {
        const sum = terms.reduce((total, { count, unit }) => total + count * size[unit], 0n)
        const text = sign + terms.map(({ count, unit }) => `${count}${unit}`).join("")
        expect(nanoseconds(text)).toBe(sign === "-" ? -sum : sum)
      })
    )
  })

  it("is nothing that the grammar does not allow", () => {
    const grammar = /^[-+]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/u
    // at most 7 characters: no more than 64 bits hold
    const alphabet = fc.constantFrom(..."0123456789.+-hmsunµ ".split(""))
    fc.assert(
      fc.property(
        fc.string({ unit: alphabet, maxLength: 7 }),
        (text) => (nanoseconds(text) !== undefined) === grammar.test(text)
      ),
      { numRuns: 20_000 }
    )
  })
})
