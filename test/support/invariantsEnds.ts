/** How objects end, and what playbooks of one object do to each other, whoever ran them. */
import { at } from "./expectations.ts"
import type { Truth } from "./invariantsHistory.ts"
import { lifetime } from "./SimulatedAap.ts"

/** One playbook that ran for an object. */
interface Play {
  readonly name: string
  readonly uid: string
  readonly operation: string
  readonly from: number
  /** Infinite while it runs. */
  readonly to: number
  readonly successful: boolean
}

const seconds = (millis: number): string => `${millis / 1000} s`

const playsOf = ({ ledger, runs }: Truth): ReadonlyArray<Play> => [
  ...ledger
    .filter(({ workflow }) => workflow === undefined)
    .map((job) => ({
      name: `job ${job.id} (${job.launchKey ?? "no key"}, ${job.status})`,
      uid: job.object?.uid ?? "",
      operation: job.template.includes("delete") ? "deprovision" : "provision",
      ...lifetime(job),
      successful: job.status === "successful"
    })),
  ...runs.map((run) => ({
    name: `EDA's ${run.operation} of ${run.version} (${run.outcome})`,
    uid: run.uid,
    operation: run.operation,
    from: run.began,
    to: run.ended ?? Number.POSITIVE_INFINITY,
    successful: run.outcome === "successful"
  }))
]

const isGone = (truth: Truth, uid: string): boolean => {
  const end = truth.versions.findLast((version) => version.uid === uid)
  return end !== undefined && end.object === undefined
}

/** A provision and a deprovision never worked on one machine together. */
const neverBoth = (plays: ReadonlyArray<Play>): ReadonlyArray<string> =>
  plays
    .filter(({ operation }) => operation === "deprovision")
    .flatMap((second) =>
      plays
        .filter(({ operation, uid }) => operation === "provision" && uid === second.uid)
        .filter((first) => Math.max(first.from, second.from) < Math.min(first.to, second.to))
        .map((first) => `${first.name} and ${second.name} were alive together from ${seconds(second.from)}`)
    )

/** A vanished object left nothing alive and nothing built. */
export const cleanEnds = (truth: Truth): ReadonlyArray<string> => {
  const plays = playsOf(truth)
  const uids = new Set(truth.versions.map(({ uid }) => uid))
  return [
    ...neverBoth(plays),
    ...[...uids]
      .filter((uid) => isGone(truth, uid))
      .flatMap((uid) => {
        const end = truth.versions.findLast((version) => version.uid === uid)
        const when = end?.from ?? 0
        const own = plays.filter((play) => play.uid === uid)
        const built = own.filter(({ operation }) => operation === "provision")
        const lastBuilt = Math.max(...built.map(({ to }) => to))
        const cleaned = own.some(
          ({ from, operation, successful }) =>
            operation === "deprovision" && successful && from >= lastBuilt && from <= when
        )
        const where = `${end?.name} (${uid}) vanished at ${seconds(when)}`
        return [
          // a playbook of EDA ends when it has let go of the object, and with it the object
          ...own
            .filter(({ from, to }) => to > when + 1 && from < when)
            .map(({ name }) => `${where} while ${name} was alive`),
          ...own.filter(({ from }) => from > when).map(({ name }) => `${where}, and ${name} came after it`),
          ...(built.length === 0 || cleaned
            ? []
            : [`${where} without a successful deprovision after ${built.map(({ name }) => name)}`])
        ]
      })
  ]
}

/** The uid of an object as stored. */
export const uidOf = (object: unknown): string => String(at(object, "metadata", "uid"))
