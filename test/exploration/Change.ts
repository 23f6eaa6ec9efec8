/** What invariants judge, and what they answer. */
import type { Configuration } from "./Configurations.ts"
import type { Job, State } from "./State.ts"

/** One move: the state before it and after it, and the launch that took effect by it. */
export interface Change {
  readonly before: State
  readonly after: State
  readonly launched: Job | undefined
  readonly configuration: Configuration
}

/** What is wrong, or nothing. */
export type Verdict = string | undefined
