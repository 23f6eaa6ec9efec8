import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

/** Suites that take long, the longest first: begun last, they would be waited for while everything else is done. */
const long = [
  "test/faults/CrashesOfFate",
  "test/faults/CrashesOfPeople",
  "test/demo/providers",
  "test/demo/demo",
  "test/reconcile/Interleavings",
  "test/document/simulated",
  "test/document/real",
  "test/install/install",
  "test/cluster/failover",
  "test/cluster/storms",
  "test/soak/soak",
  "test/reconcile/Outage",
  "test/exploration/exploration"
]

class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = long.findIndex((name) => moduleId.includes(name))
      return place === -1 ? long.length : place
    }
    const sorted = await super.sort(files)
    return sorted.toSorted((one, other) => rank(one) - rank(other))
  }
}

export default defineConfig({
  resolve: {
    // the clock that @effect/vitest gives every test
    alias: [
      {
        find: "effect/testing/TestClock",
        replacement: fileURLToPath(new URL("test/support/PatientClock.ts", import.meta.url))
      }
    ]
  },
  test: {
    server: { deps: { inline: ["@effect/vitest"] } },
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/support/seed.ts"],
    // many suites wait for processes of their own: one worker more than there are cores keeps the cores busy
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // virtual time costs real time on a busy machine; nothing here waits for a clock of its own
    testTimeout: 240_000,
    hookTimeout: 240_000,
    coverage: {
      provider: "v8",
      reportOnFailure: true,
      include: ["src/**/*.ts"],
      reporter: ["text-summary", "json-summary"]
    }
  }
})
