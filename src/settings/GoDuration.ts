/**
 * Durations as Go writes them (`10m`, `1h30m`, `500ms`, `0`), because that is how every operator's configuration does.
 *
 * Guarantees to read exactly what Go's time.ParseDuration reads, in whole nanoseconds, and that what is printed is read
 * back as the same duration.
 */
import { Option } from "effect"

const unit: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n
}

/** Go counts nanoseconds in 64 bits with sign: about 292 years. */
const LIMIT = 2n ** 63n

const whole = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/u
const terms = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/gu

/** Nanoseconds, or nothing if the text is not a Go duration. */
export const parse = (text: string): Option.Option<bigint> => {
  if (/^[+-]?0$/u.test(text)) return Option.some(0n)
  if (!whole.test(text)) return Option.none()
  let total = 0n
  for (const [, integer = "", fraction = "", name = ""] of text.matchAll(terms)) {
    const size = unit[name] ?? 0n
    total += BigInt(integer || "0") * size
    if (fraction !== "") total += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length)
  }
  const signed = text.startsWith("-") ? -total : total
  return signed >= -LIMIT && signed < LIMIT ? Option.some(signed) : Option.none()
}

/** `value` in units of `size`, without zeros at the end of the fraction. */
const decimal = (value: bigint, size: bigint): string => {
  const digits = String(size).length - 1
  const fraction = String(value % size)
    .padStart(digits, "0")
    .replace(/0+$/u, "")
  return fraction === "" ? String(value / size) : `${value / size}.${fraction}`
}

/** As Go prints it: `1h30m0s`, `1.5s`, `250ms`. */
export const print = (nanoseconds: bigint): string => {
  if (nanoseconds < 0n) return `-${print(-nanoseconds)}`
  if (nanoseconds === 0n) return "0s"
  for (const [name, size, next] of [
    ["ns", 1n, 1_000n],
    ["µs", 1_000n, 1_000_000n],
    ["ms", 1_000_000n, 1_000_000_000n]
  ] as const)
    if (nanoseconds < next) return `${decimal(nanoseconds, size)}${name}`
  const seconds = `${decimal(nanoseconds % 60_000_000_000n, 1_000_000_000n)}s`
  const minutes = nanoseconds / 60_000_000_000n
  if (minutes === 0n) return seconds
  const hours = minutes / 60n
  return hours === 0n ? `${minutes}m${seconds}` : `${hours}h${minutes % 60n}m${seconds}`
}
