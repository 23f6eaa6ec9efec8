/**
 * Whether the lock may be taken: judged by the time that this process saw nobody renew it, on its own monotonic clock.
 *
 * The holder counts its time from before it asks for a renewal, the candidate from after it saw the renewed record, and the
 * holder stops sooner than the candidate starts: whatever their wall clocks say, they do not overlap.
 */
import { Duration, Option } from "effect"
import type { Held } from "./Lock.ts"

/** A record that promises more than any configuration allows was not written by one of us. */
const LONGEST = Duration.toNanosUnsafe("5 minutes")

/** A holder that lets go says so with a duration that nobody can be configured with. */
export const RELEASED = 1

export interface Judge {
  /** From when on, in nanoseconds of the monotonic clock, the lock may be taken as it was seen `at`. */
  readonly freeAt: (seen: Option.Option<Held>, at: bigint) => bigint
}

export const makeJudge = (identity: string, duration: Duration.Duration): Judge => {
  const patience = Duration.toNanosUnsafe(duration)
  let version: string | undefined
  let since = 0n

  const patienceWith = ({ claim }: Held): bigint => {
    // a claim of this very process whose answer was lost
    if (claim.holder === identity) return 0n
    if (claim.holder === "" && claim.seconds === RELEASED) return 0n
    const promised = BigInt(Math.max(0, Math.floor(claim.seconds))) * 1_000_000_000n
    const believed = promised > LONGEST ? LONGEST : promised
    return believed > patience ? believed : patience
  }

  return {
    freeAt: (seen, at) => {
      const first = version === undefined
      const now = Option.match(seen, { onNone: () => "", onSome: (held) => held.version })
      if (now !== version) {
        version = now
        since = at
      }
      return Option.match(seen, {
        // it was there before: whoever held it does not know yet
        onNone: () => (first ? at : since + patience),
        onSome: (held) => since + patienceWith(held)
      })
    }
  }
}
