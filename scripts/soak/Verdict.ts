/**
 * What became of all lives, by the ground truth: what AAP ran, what the cluster stored, and what people asked for. The
 * invariants are those of the tests; here they are judged object by object, so that each is named with its history.
 */

import { invariants, recordedBeforeTheEnd } from "../../test/support/invariants.ts"
import { cleanEnds } from "../../test/support/invariantsEnds.ts"
import type { Truth } from "../../test/support/invariantsHistory.ts"
import { liesAtRest } from "../../test/support/invariantsRest.ts"
import type { LedgerJob } from "../../test/support/SimulatedAap.ts"
import { story } from "../../test/support/schedulesStory.ts"
import type { Asked } from "./People.ts"

export const kinds = ["duplicates", "orphans", "lost ids", "stuck objects", "other broken rules"] as const
export type Kind = (typeof kinds)[number]

/** An object for which a promise was broken. */
export interface Case {
  readonly name: string
  readonly broken: ReadonlyArray<{ readonly kind: Kind; readonly words: string }>
  readonly history: string
}

const isDeprovision = ({ template }: LedgerJob) => template.includes("delete")

/** What nobody asked for was launched, be it long after the first job ended. */
const unasked = ({ ledger }: Truth, { deprovisions, provisions }: Asked): ReadonlyArray<string> => {
  const down = ledger.filter(isDeprovision).length
  const up = ledger.length - down
  return [
    ...(up > provisions ? [`${up} provision jobs were launched, asked for were ${provisions}`] : []),
    ...(down > deprovisions ? [`${down} deprovision jobs were launched, asked for were ${deprovisions}`] : [])
  ]
}

const isRunning = ({ finished }: LedgerJob) => finished === undefined

const leftBehind = ({ ledger, versions }: Truth): ReadonlyArray<string> =>
  versions.at(-1)?.object === undefined
    ? ledger.filter(isRunning).map(({ id }) => `job ${id} is alive, and its object is not there`)
    : []

/** No object was ever asked for under this name. */
const nothing: Asked = { provisions: 0, deprovisions: 0 }

const judged = (truth: Truth, asked: Asked): Case["broken"] => {
  const of = (kind: Kind, words: ReadonlyArray<string>) => words.map((one) => ({ kind, words: one }))
  return [
    ...of("duplicates", [...invariants.noOverlap(truth), ...invariants.oneJobPerKey(truth), ...unasked(truth, asked)]),
    ...of("orphans", [...cleanEnds(truth), ...leftBehind(truth)]),
    ...of("lost ids", [
      ...invariants.recordsKept(truth),
      ...invariants.allRecorded(truth),
      ...recordedBeforeTheEnd(truth)
    ]),
    ...of("other broken rules", [
      ...invariants.intentFirst(truth),
      ...invariants.soberIntents(truth),
      ...invariants.truthfulRecords(truth)
    ])
  ]
}

/** `stuck` are the names of objects that did not come to rest, or not to their end, and where they hang. */
export const judge = (
  truth: Truth,
  asked: ReadonlyMap<string, Asked>,
  stuck: ReadonlyMap<string, string>
): ReadonlyArray<Case> => {
  const jobs = Map.groupBy(truth.ledger, ({ object }) => object?.uid ?? "")
  const versions = Map.groupBy(truth.versions, ({ uid }) => uid)
  return [...new Set([...jobs.keys(), ...versions.keys()])].flatMap((uid) => {
    const own: Truth = { ledger: jobs.get(uid) ?? [], versions: versions.get(uid) ?? [], runs: [] }
    const name = own.versions[0]?.name ?? own.ledger[0]?.object?.name ?? "unknown"
    const where = stuck.get(name)
    const broken = [
      ...judged(own, asked.get(name) ?? nothing),
      ...(where === undefined ? [] : [{ kind: "stuck objects" as const, words: where }])
    ]
    return broken.length === 0 ? [] : [{ name, broken, history: story(own) }]
  })
}

/** What objects that nobody touches any more say wrongly of themselves. */
export const liars = (truth: Truth): ReadonlyArray<string> => liesAtRest(truth)

/** How many objects each kind of breach befell. */
export const countsOf = (cases: ReadonlyArray<Case>): ReadonlyArray<readonly [Kind, number]> =>
  kinds.map((kind) => [kind, cases.filter(({ broken }) => broken.some((one) => one.kind === kind)).length])
