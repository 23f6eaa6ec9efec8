/**
 * How many jobs one list request asks for: as many as AAP puts on a page, as a URL may hold, and as an answer may weigh.
 *
 * The number adapts to a struggling AAP: halved by an answer that fails or times out, slowly raised again by good rounds.
 */
import { PAGE } from "./AapClient.ts"
import type { Wanted } from "./JobLedger.ts"

/** nginx takes lines of 8 KB, proxies often less; the path and the other parameters need their share. */
export const URL_BYTES = 3_500
/** Answers carry the variables of each job; this is far below what is refused as too large. */
const ANSWER_BYTES = 8 * 1_048_576

const SMALLEST = 25
const STEP = 25

export const chunksOf = (wanted: ReadonlyArray<Wanted>, limit: number): ReadonlyArray<ReadonlyArray<Wanted>> => {
  const chunks: Array<Array<Wanted>> = []
  let chunk: Array<Wanted> = []
  let letters = 0
  let bytes = 0
  for (const job of wanted) {
    // a comma is three letters in a URL
    const more = job.id.length + 3
    const full = chunk.length >= limit || letters + more > URL_BYTES || bytes + job.bytes > ANSWER_BYTES
    if (chunk.length > 0 && full) {
      chunks.push(chunk)
      chunk = []
      letters = 0
      bytes = 0
    }
    chunk.push(job)
    letters += more
    bytes += job.bytes
  }
  if (chunk.length > 0) chunks.push(chunk)
  return chunks
}

export const smaller = (limit: number): number => Math.max(SMALLEST, Math.floor(limit / 2))
export const larger = (limit: number): number => Math.min(PAGE, limit + STEP)
