/** Goes through the commands of a block, in order; none may be left over. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { eventually } from "../support/eventually.ts"
import { block, commandsIn } from "./Blocks.ts"
import { sectionOf } from "./Pages.ts"
import type { Outcome } from "./Shell.ts"
import type { Site } from "./Site.ts"

/** Each takes the block's next command, which must have the given words in it. */
export interface Script {
  /** Runs it, and it must succeed. Answers what it said. */
  readonly run: (words: string) => Effect.Effect<string>
  /** Runs it, however it ends. */
  readonly attempt: (words: string) => Effect.Effect<Outcome>
  /** Runs it again and again until it says what is wanted. */
  readonly until: (words: string, holds: (output: string) => boolean) => Effect.Effect<string>
  /** Runs it in another terminal, so to speak. */
  readonly inBackground: (words: string) => Effect.Effect<void>
  /** Leaves it out, and says why. */
  readonly leaveOut: (words: string, why: string) => Effect.Effect<void>
}

type Values = Readonly<Record<string, string>>

/** The commands of any script, here. `values` replace what stands in angle brackets, and the like. */
const follow = (
  site: Site,
  commands: ReadonlyArray<string>,
  values: Values,
  steps: (script: Script) => Effect.Effect<void>
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const left = commands.slice()
    const next = (words: string): string => {
      const command = left.shift() ?? assert.fail(`no command is left for "${words}"`)
      assert.include(command, words)
      return Object.entries(values).reduce((so, [from, to]) => so.replaceAll(from, to), site.here(command))
    }
    const succeed = (command: string) =>
      Effect.map(site.shell.run(command), ({ code, output }) => {
        assert.strictEqual(code, 0, `${command}\n${output}\n${site.logText().slice(-2_000)}`)
        return output
      })
    const script: Script = {
      run: (words) => Effect.suspend(() => succeed(next(words))),
      attempt: (words) => Effect.suspend(() => site.shell.run(next(words))),
      until: (words, holds) =>
        Effect.suspend(() => {
          const command = next(words)
          const look = Effect.map(site.shell.run(command), ({ output }) => output)
          return eventually(command, look, holds)
        }),
      inBackground: (words) =>
        Effect.suspend(() => Effect.asVoid(succeed(`{ ${next(words).replace(/ &$/u, "")}; } > background.log 2>&1 &`))),
      leaveOut: (words, why) => Effect.sync(() => void assert.isNotEmpty(why, next(words)))
    }
    return Effect.tap(steps(script), () => Effect.sync(() => assert.deepStrictEqual(left, [])))
  })

/** The commands of a block of the design document. */
export const followBlock = (
  site: Site,
  number: number,
  values: Values,
  steps: (script: Script) => Effect.Effect<void>
): Effect.Effect<void> => follow(site, commandsIn(block(number).text), values, steps)

/** The commands under a heading of one of the product's own pages. */
export const followSection = (
  site: Site,
  page: string,
  heading: string,
  values: Values,
  steps: (script: Script) => Effect.Effect<void>
): Effect.Effect<void> => follow(site, sectionOf(page, heading).commands, values, steps)
