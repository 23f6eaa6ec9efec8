/** The design document on simulated surroundings: the real operator, and every command of every block that can be run. */
import { assert, it } from "@effect/vitest"
import { Effect, Semaphore } from "effect"
import { leftOut, present } from "../cluster/assets.ts"
import { LONG_TEST } from "../support/eventually.ts"
import { simulated } from "./Cluster.ts"
import { makeSite } from "./Site.ts"
import { stories } from "./stories.ts"

/** Mostly they wait; more at a time would wait for the processors. */
const atOnce = Semaphore.makeUnsafe(4)

for (const story of stories) {
  it.live(
    story.name,
    () =>
      Effect.gen(function* () {
        yield* story.tell(yield* makeSite(yield* simulated))
      }).pipe(Effect.scoped, atOnce.withPermits(1)),
    { concurrent: true, timeout: LONG_TEST }
  )
}

if (!present("kubectl")) {
  const line = leftOut("kubectl itself; a stand-in sends the same requests")
  it("says what stands in for kubectl without KUBEBUILDER_ASSETS", () => assert.include(line, "stand-in"))
}
