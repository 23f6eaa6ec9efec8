/**
 * The production pass as a tree: from where it begins, by the answers it gets, to its next request or its end.
 *
 * A running fiber cannot be copied, so a suspended pass is its beginning and its answers, and is run again from there when
 * another answer comes. Equal beginnings with equal answers are run once, whatever happens around them.
 */
import { Cause, Duration, Exit } from "effect"
import { reconcile } from "../../src/reconcile/ComputeInstance.ts"
import type { Action } from "../../src/runtime/Action.ts"
import { replay } from "./Replay.ts"
import type { Answer, Request } from "./Request.ts"
import { KEY, type Memory, type Profile, type Run, type Seen } from "./Run.ts"
import { NOTHING, type Version } from "./Versions.ts"

export interface Beginning {
  readonly profile: Profile
  readonly view: Version
  readonly memory: Memory
  readonly seen: ReadonlyArray<Seen>
  readonly at: number
}

/** How a pass ended. */
export interface End {
  /** `Failed`: with an error, which the backoff follows. */
  readonly action: Action["_tag"] | "Failed"
  /** Milliseconds until it wants to look again. */
  readonly delay: number
  readonly memory: Memory
  /** The place among the given objects of the one its store holds. */
  readonly held: number | undefined
}

export interface Node {
  readonly id: number
  readonly beginning: Beginning
  readonly answers: ReadonlyArray<Answer>
  readonly given: ReadonlyArray<Version>
  /** When the last answer came. */
  readonly at: number
  readonly request: Request | undefined
  readonly end: End | undefined
  /** A bug that is neither an answer nor a failure. */
  readonly defect: string | undefined
  readonly children: Map<string, Node>
}

const memories = new Map<string, number>()
const numbered = new WeakMap<Memory, number>()

/** Equal memories have equal numbers. */
export const memoryId = (memory: Memory): number => {
  const before = numbered.get(memory)
  if (before !== undefined) return before
  const text = JSON.stringify([memory.clock, memory.standing, memory.spoken, memory.kept?.name])
  const known = memories.get(text) ?? memories.size
  memories.set(text, known)
  numbered.set(memory, known)
  return known
}

const profiles = new Map<Profile, number>()
const profileId = (profile: Profile): number => {
  const known = profiles.get(profile) ?? profiles.size
  profiles.set(profile, known)
  return known
}

const roots = new Map<string, Node>()
let nodes = 0
let runs = 0

export const passesRun = (): number => runs

const execute = (beginning: Beginning, name: string, answers: ReadonlyArray<Answer>): Node => {
  runs += 1
  const here: Run = {
    profile: beginning.profile,
    name,
    seen: beginning.seen,
    answers,
    given: [],
    used: 0,
    now: beginning.at,
    leads: true,
    held: undefined,
    request: undefined,
    memory: beginning.memory
  }
  const exit = replay(here, reconcile(KEY), beginning.view === NOTHING ? undefined : beginning.view)
  const waits = here.request !== undefined
  const defect =
    !waits && Exit.isFailure(exit) && exit.cause.reasons.some((reason) => reason._tag !== "Fail")
      ? Cause.pretty(exit.cause)
      : undefined
  const unused = answers.length - here.used
  return {
    id: nodes++,
    beginning,
    answers,
    given: here.given,
    at: here.now,
    request: here.request,
    end: waits
      ? undefined
      : {
          action: Exit.isSuccess(exit) ? exit.value._tag : "Failed",
          delay: Exit.isSuccess(exit) && exit.value._tag === "After" ? Duration.toMillis(exit.value.delay) : 0,
          memory: here.memory,
          held: here.held
        },
    defect: unused > 0 ? `the pass did not ask again what it had asked before (${unused} answers left)` : defect,
    children: new Map()
  }
}

export const begin = (beginning: Beginning): Node => {
  const seen = beginning.seen.map(({ id, observation }) => `${id}${observation.state}${observation.finishedAt ?? ""}`)
  const name = `${profileId(beginning.profile)}/${beginning.view.id}/${memoryId(beginning.memory)}/${beginning.at}/${seen.join()}`
  const known = roots.get(name)
  if (known !== undefined) return known
  const made = execute(beginning, name, [])
  roots.set(name, made)
  return made
}

export const next = (node: Node, answer: Answer): Node => {
  const known = node.children.get(answer.code)
  if (known !== undefined) return known
  const made = execute(node.beginning, `${node.id}+${answer.code}`, [...node.answers, answer])
  node.children.set(answer.code, made)
  return made
}
