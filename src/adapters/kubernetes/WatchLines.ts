/**
 * Bytes of a watch become whole lines, whatever the chunks: a line or a character may be split anywhere. A line without
 * an end, when the connection ends, is dropped: it is half an event.
 */
import { Effect, Option, Stream } from "effect"
import { ServerFailure } from "../../ports/KubernetesClient.ts"

interface Unfinished {
  readonly pieces: ReadonlyArray<Uint8Array>
  readonly size: number
}

const NEWLINE = 0x0a
const none: Unfinished = { pieces: [], size: 0 }

const tooLong = (maxBytes: number) =>
  new ServerFailure({
    status: 200,
    message: `an event of the watch is larger than ${maxBytes} bytes, the most that is read`,
    retryAfter: Option.none()
  })

const split = (maxBytes: number) => (unfinished: Unfinished, chunk: Uint8Array) => {
  const lines: Array<string> = []
  let { pieces, size } = unfinished
  let start = 0
  for (;;) {
    const newline = chunk.indexOf(NEWLINE, start)
    const rest = chunk.subarray(start, newline === -1 ? undefined : newline)
    size += rest.byteLength
    if (size > maxBytes) return Effect.fail(tooLong(maxBytes))
    if (newline === -1) return Effect.succeed([{ pieces: [...pieces, rest], size }, lines] as const)
    const line = Buffer.concat([...pieces, rest]).toString("utf8")
    if (line.trim() !== "") lines.push(line)
    pieces = none.pieces
    size = none.size
    start = newline + 1
  }
}

export const linesOf =
  (maxBytes: number) =>
  <E>(bytes: Stream.Stream<Uint8Array, E>): Stream.Stream<string, E | ServerFailure> =>
    Stream.mapAccumEffect(bytes, () => none, split(maxBytes))
