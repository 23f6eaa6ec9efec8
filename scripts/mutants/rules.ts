/**
 * The rules by which jobs are launched exactly once (L) and objects are deleted cleanly (D), each with the tests that state
 * it. The vital ones are those whose absence gives a duplicate, an orphan or an object that is stuck.
 */
import { deletingRules } from "./rules/deleting.ts"
import { launchingRules } from "./rules/launching.ts"
import type { Rule } from "./rules/Rule.ts"
import { resolvingRules } from "./rules/resolving.ts"

export const rules: ReadonlyArray<Rule> = [...launchingRules, ...resolvingRules, ...deletingRules]
