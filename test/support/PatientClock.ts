/**
 * The clock of every test in virtual time: it goes on when whoever it woke has come to rest, however long that takes.
 *
 * Effect's own waits a second, of real time, and then goes on all the same: what a test sees would depend on how busy the
 * machine is. `vitest.config.ts` puts this in its place.
 */
import { TestClock } from "effect/testing"

/** Long enough for any machine, and shorter than a test may take: whoever waits in vain is told so. */
const PATIENCE = "100 seconds"

export const layer = (options: Parameters<typeof TestClock.layer>[0] = {}) =>
  TestClock.layer({ warningDelay: PATIENCE, ...options })
