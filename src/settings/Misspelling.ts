/**
 * Variables that look like ours and are none: most often a typing error, and a default in force that nobody wanted.
 */
import { ConfigProvider, Effect } from "effect"

/** The names in the environment that begin with `prefix`, such as `CLOUDKIT`, and have a value. */
const namesBelow = (prefix: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>, ConfigProvider.SourceError> =>
  Effect.gen(function* () {
    const provider = yield* ConfigProvider.ConfigProvider
    const node = yield* provider.load(prefix)
    if (node === undefined) return []
    const own = node.value === undefined ? [] : [prefix.join("_")]
    if (node._tag !== "Record") return own
    const below = yield* Effect.forEach([...node.keys], (key) => namesBelow([...prefix, key]))
    return [...own, ...below.flat()]
  })

/** How many characters have to be put in, taken out or replaced to get from one to the other. */
const distance = (from: string, to: string): number => {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}

/** Kubernetes describes every Service of the namespace in variables, and one may well begin with our prefix. */
const isServiceLink = (name: string, all: ReadonlyArray<string>): boolean =>
  all.some((other) => {
    if (!other.endsWith("_SERVICE_HOST")) return false
    const service = other.slice(0, -"_SERVICE_HOST".length)
    return name.startsWith(`${service}_SERVICE_`) || name === `${service}_PORT` || name.startsWith(`${service}_PORT_`)
  })

const nearest = (name: string, known: ReadonlyArray<string>): string => {
  const [best] = known
    .map((candidate) => ({ candidate, distance: distance(name, candidate) }))
    .filter(({ distance }) => distance <= Math.max(3, name.length / 4))
    .sort((a, b) => a.distance - b.distance)
  return best === undefined ? "" : `; did you mean ${best.candidate}?`
}

/** One warning for each variable with one of the prefixes that is not among the known names. */
export const misspellings = (
  prefixes: ReadonlyArray<string>,
  known: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.forEach(prefixes, (prefix) => namesBelow([prefix.replace(/_$/u, "")])).pipe(
    Effect.map((found) => {
      const names = found.flat().sort()
      return names
        .filter((name) => !known.includes(name) && !isServiceLink(name, names))
        .map((name) => `${name} is not a variable of this operator and is ignored${nearest(name, known)}`)
    }),
    // reading an environment cannot fail
    Effect.orDie
  )
