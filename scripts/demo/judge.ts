/**
 * Whether a story came out as it should: the evidence against what was expected. Every finding is a sentence that says what
 * is not as it should be; none means all is well.
 */
import { FINALIZER } from "../../src/domain/ComputeInstance.ts"
import { type JsonObject, listAt, stringAt, stringsAt } from "../../test/support/kubernetes/Json.ts"
import { conditionOf } from "./Observation.ts"
import type { Ran } from "./Ran.ts"
import type { Evidence, Expected } from "./Story.ts"

const wordsOf = (object: JsonObject): ReadonlyArray<string> => [
  stringAt(conditionOf(object, "Ready"), "reason") ?? "",
  stringAt(object, "status", "provisionJob", "message") ?? "",
  stringAt(object, "status", "deprovisionJob", "message") ?? ""
]

/** What the status said, each word when it was new. */
const saidBy = (revisions: ReadonlyArray<JsonObject>): ReadonlyArray<string> =>
  revisions.flatMap((object, index) => {
    const before = revisions[index - 1]
    const known = before === undefined ? [] : wordsOf(before)
    return wordsOf(object).filter((word, place) => word !== "" && word !== known[place])
  })

/** The first of the words that does not follow after those before it. */
const missing = (said: ReadonlyArray<string>, wanted: ReadonlyArray<string>): string | undefined => {
  let from = 0
  for (const word of wanted) {
    const found = said.indexOf(word, from)
    if (found === -1) return word
    from = found + 1
  }
  return undefined
}

const atOnce = (ran: ReadonlyArray<Ran>): ReadonlyArray<string> =>
  ran.flatMap((first, index) =>
    ran
      .slice(index + 1)
      .filter((second) => Math.max(first.from, second.from) < Math.min(first.to, second.to))
      .map((second) => `jobs ${first.id} and ${second.id} ran at once`)
  )

const listed = (words: ReadonlyArray<string>): string => (words.length === 0 ? "none" : words.join(", "))

const onJobs = ({ ran }: Evidence, expected: Expected, by: string): ReadonlyArray<string> => {
  const found = listed(ran.map(({ status, what }) => `${what} ${status}`))
  const wanted = listed(expected.jobs)
  return found === wanted ? atOnce(ran) : [`${by} ran ${found} instead of ${wanted}`, ...atOnce(ran)]
}

/** Intent and finalizer are stored before anybody is called, or a crash would orphan the machine. */
const onLaunches = ({ launches }: Evidence): ReadonlyArray<string> =>
  launches.flatMap((launch) => [
    ...(launch.finalizers.includes(FINALIZER)
      ? []
      : [`the resource had no finalizer when ${launch.launchKey} was launched`]),
    ...(launch.intentKey === launch.launchKey
      ? []
      : [`the resource held no intent when ${launch.launchKey} was launched`])
  ])

const onObject = ({ object, ran }: Evidence, { phase }: Expected, by: string): ReadonlyArray<string> => {
  if (object === undefined) return phase === "gone" ? [] : [`the resource is gone instead of ${phase}`]
  const is = stringAt(object, "status", "phase") ?? "without a phase"
  const message = stringAt(conditionOf(object, "Ready"), "message") ?? "no condition"
  const recorded = listAt(object, "status", "jobs").map((job) => stringAt(job, "jobID") ?? "")
  const ids = ran.map(({ id }) => id)
  return [
    ...(is === phase ? [] : [`the resource is ${is} instead of ${phase}: ${message}`]),
    ...(recorded.join() === ids.join() ? [] : [`status.jobs has ${listed(recorded)}, ${by} has ${listed(ids)}`]),
    ...(stringsAt(object, "metadata", "finalizers").includes(FINALIZER) ? [] : ["the resource has no finalizer"])
  ]
}

const onWords = ({ revisions }: Evidence, { says }: Expected): ReadonlyArray<string> => {
  const word = missing(saidBy(revisions), says)
  return word === undefined ? [] : [`the status never said "${word}" when it should have: ${listed(says)}`]
}

/** `by`: who runs playbooks in this demo. */
export const judge = (evidence: Evidence, expected: Expected, by: string): ReadonlyArray<string> => [
  ...onJobs(evidence, expected, by),
  ...onObject(evidence, expected, by),
  ...onLaunches(evidence),
  ...onWords(evidence, expected),
  ...expected.also(evidence)
]
