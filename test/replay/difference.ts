/** Where an answer differs from a recorded one: keys, JSON types, lengths, and every value that is not named as free. */

/** Paths of values that belong to the recorded installation or to the moment; their JSON type still has to be the same. */
const free: ReadonlyArray<RegExp> = [
  /\.(?:install_uuid|uuid|ansible_id)$/,
  /\.object_roles\.\w+\.id$/,
  /\.elapsed$/,
  /\.analytics_collectors\.\w+\.(?:version|description)$/
]

const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/

const typeOf = (value: unknown): string => {
  if (value === null) return "null"
  if (Array.isArray(value)) return "array"
  return typeof value === "string" && moment.test(value) ? "moment" : typeof value
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeOf(value) === "object"

export const differences = (
  recorded: unknown,
  answered: unknown,
  path = "$",
  alsoFree: ReadonlyArray<RegExp> = []
): ReadonlyArray<string> => {
  if (typeOf(recorded) !== typeOf(answered))
    return [`${path}: recorded ${JSON.stringify(recorded)}, answered ${JSON.stringify(answered)}`]
  if (Array.isArray(recorded) && Array.isArray(answered)) {
    if (recorded.length !== answered.length)
      return [`${path}: ${recorded.length} recorded, ${answered.length} answered`]
    return recorded.flatMap((item, index) => differences(item, answered[index], `${path}[${index}]`, alsoFree))
  }
  if (isRecord(recorded) && isRecord(answered)) {
    const keys = new Set([...Object.keys(recorded), ...Object.keys(answered)])
    return [...keys].flatMap((key) => {
      if (!(key in answered)) return [`${path}.${key}: missing`]
      if (!(key in recorded)) return [`${path}.${key}: not recorded`]
      return differences(recorded[key], answered[key], `${path}.${key}`, alsoFree)
    })
  }
  if (recorded === answered || typeOf(recorded) === "moment") return []
  return [...free, ...alsoFree].some((pattern) => pattern.test(path))
    ? []
    : [`${path}: recorded ${JSON.stringify(recorded)}, answered ${JSON.stringify(answered)}`]
}
