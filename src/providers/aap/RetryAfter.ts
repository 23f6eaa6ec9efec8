/**
 * `Retry-After`, which is either a number of seconds or an HTTP date; never more than ten minutes, whoever asks.
 */
const LONGEST = 600_000

/** Milliseconds from `now` (milliseconds since 1970), or undefined where the header is absent or says nothing. */
export const parse = (header: string | undefined, now: number): number | undefined => {
  const text = header?.trim() ?? ""
  if (text === "") return undefined
  const milliseconds = /^\d+$/u.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return Number.isNaN(milliseconds) ? undefined : Math.min(Math.max(milliseconds, 0), LONGEST)
}
