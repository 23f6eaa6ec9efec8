/**
 * JSON as the controller's Python reads and writes it: the error texts a client sees, numbers kept as they were written
 * (`1.0` stays `1.0`, integers have no limit), and `", "` / `": "` with non-ASCII escaped on the way out.
 */
import { Result } from "effect"

/** A number that a JavaScript number would change when printed again. */
export class ExactNumber {
  readonly source: string
  constructor(source: string) {
    this.source = source
  }
}

export type Parsed =
  | string
  | number
  | boolean
  | null
  | ExactNumber
  | ReadonlyArray<Parsed>
  | { readonly [key: string]: Parsed }

export type ParsedObject = { readonly [key: string]: Parsed }

export const isParsedObject = (value: Parsed | undefined): value is ParsedObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)

class Malformed {
  readonly complaint: string
  readonly at: number
  constructor(complaint: string, at: number) {
    this.complaint = complaint
    this.at = at
  }
}

const located = (text: string, { complaint, at }: Malformed): string => {
  const before = text.slice(0, at).split("\n")
  return `${complaint}: line ${before.length} column ${(before.at(-1)?.length ?? 0) + 1} (char ${at})`
}

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const stringPattern = /"(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const spacePattern = /[ \t\n\r]*/y

class Reader {
  private at = 0
  private readonly text: string
  constructor(text: string) {
    this.text = text
  }

  whole(): Parsed {
    this.space()
    const value = this.value()
    this.space()
    if (this.at < this.text.length) throw new Malformed("Extra data", this.at)
    return value
  }

  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0]
    if (found !== undefined) this.at += found.length
    return found
  }
  private space(): void {
    this.take(spacePattern)
  }
  private next(): string {
    return this.text.charAt(this.at)
  }

  private value(): Parsed {
    switch (this.next()) {
      case "{":
        return this.object()
      case "[":
        return this.array()
      case '"':
        return this.string()
    }
    for (const [word, meaning] of [["true", true] as const, ["false", false] as const, ["null", null] as const]) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length
        return meaning
      }
    }
    const source = this.take(numberPattern)
    if (source === undefined || source === "") throw new Malformed("Expecting value", this.at)
    const number = Number(source)
    return String(number) === source ? number : new ExactNumber(source)
  }

  private string(): string {
    const start = this.at
    const source = this.take(stringPattern)
    if (source === undefined) throw new Malformed("Unterminated string starting at", start)
    try {
      return String(JSON.parse(source))
    } catch {
      throw new Malformed("Invalid control character at", start)
    }
  }

  private array(): ReadonlyArray<Parsed> {
    const items: Array<Parsed> = []
    this.at++
    this.space()
    if (this.next() === "]") this.at++
    else
      for (;;) {
        items.push(this.value())
        this.space()
        const mark = this.next()
        if (mark !== "," && mark !== "]") throw new Malformed("Expecting ',' delimiter", this.at)
        this.at++
        if (mark === "]") break
        this.space()
      }
    return items
  }

  private object(): ParsedObject {
    const entries: Array<[string, Parsed]> = []
    this.at++
    this.space()
    if (this.next() === "}") this.at++
    else
      for (;;) {
        if (this.next() !== '"') throw new Malformed("Expecting property name enclosed in double quotes", this.at)
        const key = this.string()
        this.space()
        if (this.next() !== ":") throw new Malformed("Expecting ':' delimiter", this.at)
        this.at++
        this.space()
        entries.push([key, this.value()])
        this.space()
        const mark = this.next()
        if (mark !== "," && mark !== "}") throw new Malformed("Expecting ',' delimiter", this.at)
        this.at++
        if (mark === "}") break
        this.space()
      }
    return Object.fromEntries(entries)
  }
}

/** The value, or Python's words for what is wrong and where. */
export const parse = (text: string): Result.Result<Parsed, string> => {
  try {
    return Result.succeed(new Reader(text).whole())
  } catch (thrown) {
    if (thrown instanceof Malformed) return Result.fail(located(text, thrown))
    throw thrown
  }
}

const quoted = (text: string): string =>
  JSON.stringify(text).replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)

/** `json.dumps` with its defaults. */
export const dumps = (value: Parsed): string => {
  if (value instanceof ExactNumber) return value.source
  if (typeof value === "string") return quoted(value)
  if (typeof value !== "object" || value === null) return String(value)
  if (Array.isArray(value)) return `[${value.map(dumps).join(", ")}]`
  return `{${Object.entries(value)
    .map(([key, member]) => `${quoted(key)}: ${dumps(member)}`)
    .join(", ")}}`
}

/** The value with its exact numbers made ordinary: what an echo in a JSON answer shows. */
export const plain = (value: Parsed): unknown => JSON.parse(dumps(value))

/** Reads values that did not come as text (a YAML document, a test's options); what JSON cannot say becomes `null`. */
export const fromUnknown = (value: unknown): Parsed =>
  Result.getOrElse(parse(JSON.stringify(value) ?? "null"), () => null)
