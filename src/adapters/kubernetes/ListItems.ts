/**
 * A list of the API server, taken apart while it arrives: each item as soon as its last byte is there, and in the end what is
 * around them. A page is never in memory as a whole.
 *
 * Looks at brackets and strings only; whether what is between them is JSON is for the parser of each part to say.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** The depth of an item: in the list's object, in the array. */
const ITEM = 2

/** What stands in the list where an item was taken out. */
const PLACE = Buffer.from("{}")

export class ListItems {
  readonly #maxBytes: number
  #depth = 0
  #inString = false
  #escaped = false
  /** Bytes of the item under way, of earlier chunks. */
  #item: Array<Uint8Array> = []
  #itemSize = 0
  /** Everything that is not an item. */
  readonly #around: Array<Uint8Array> = []
  #aroundSize = 0
  /** The last string at the depth of the list's own keys. */
  #key = ""
  #keyBytes: Array<number> | undefined
  #inItems = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** The text of what is around the items, with `{}` in the place of each. */
  get around(): string {
    return Buffer.concat(this.#around).toString("utf8")
  }

  /** Whether a part grew beyond what is read. */
  get tooLarge(): boolean {
    return Math.max(this.#itemSize, this.#aroundSize) > this.#maxBytes
  }

  /** Takes the next bytes; answers the texts of the items that are complete with them. */
  feed(chunk: Uint8Array): ReadonlyArray<string> {
    const items: Array<string> = []
    // where the part that is under way begins in this chunk
    let start = 0
    const close = (end: number): Uint8Array => {
      const part = chunk.subarray(start, end)
      start = end
      return part
    }
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index] ?? 0
      if (this.#inString) {
        this.#string(byte)
        continue
      }
      if (byte === QUOTE) {
        this.#inString = true
        if (this.#depth === 1) this.#keyBytes = []
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (this.#depth === 1) this.#inItems = byte === OPEN_BRACKET && this.#key === "items"
        if (this.#inItems && this.#depth === ITEM) this.#keepAround(close(index))
        this.#depth += 1
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.#depth -= 1
        if (this.#depth === ITEM && this.#inItems) {
          items.push(Buffer.concat([...this.#item, close(index + 1)]).toString("utf8"))
          this.#item = []
          this.#keepAround(PLACE)
          this.#itemSize = 0
        } else if (this.#depth === 1) this.#inItems = false
      }
    }
    this.#rest(chunk, start)
    return items
  }

  #string(byte: number): void {
    if (this.#escaped) this.#escaped = false
    else if (byte === BACKSLASH) this.#escaped = true
    else if (byte === QUOTE) {
      this.#inString = false
      if (this.#keyBytes !== undefined) this.#key = String.fromCharCode(...this.#keyBytes.slice(0, 8))
      this.#keyBytes = undefined
      return
    }
    this.#keyBytes?.push(byte)
  }

  /** What is left belongs to the item that is under way, or to what is around. */
  #rest(chunk: Uint8Array, start: number): void {
    if (start >= chunk.length) return
    const rest = chunk.subarray(start)
    if (this.#inItems && this.#depth > ITEM) {
      this.#item.push(rest.slice())
      this.#itemSize += rest.byteLength
    } else this.#keepAround(rest)
  }

  /** A copy, because what is kept of a chunk would keep all of it. */
  #keepAround(part: Uint8Array): void {
    if (part.byteLength === 0) return
    this.#around.push(part.slice())
    this.#aroundSize += part.byteLength
  }
}
