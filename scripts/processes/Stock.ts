/**
 * Any number of ComputeInstances as an operator left them, out of one sample: each with its own name, uid, job, template
 * parameters and what follows from them, so that whoever starts afterwards finds nothing to do.
 */
import { createHash } from "node:crypto"
import { Schema } from "effect"
import { configVersion } from "../../src/domain/ConfigVersion.ts"

/** An object and what its job was launched with, as JSON, with the words in them that are each object's own. */
export const Sample = Schema.Struct({
  object: Schema.String,
  extraVars: Schema.String,
  name: Schema.String,
  uid: Schema.String,
  jobID: Schema.String,
  resourceVersion: Schema.String,
  version: Schema.String,
  /** Stands for what differs in the template parameters. */
  parameters: Schema.String,
  /** When its job was launched. */
  launchedAt: Schema.Finite,
  spec: Schema.Record(Schema.String, Schema.Json)
})
export type Sample = typeof Sample.Type

/** Names sort as their numbers do. */
export const nameOf = (n: number): string => `stock-${String(n).padStart(7, "0")}`
const uidOf = (n: number): string => `10000000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`

/** Letters that do not compress away, the same for the same number. */
const parametersOf = (n: number, length: number): string => {
  let text = ""
  for (let part = 0; text.length < length; part++)
    text += createHash("sha512").update(`${n} ${part}`).digest("base64url")
  return text.slice(0, length)
}

const spread = (value: Schema.Json, from: string, to: string): Schema.Json =>
  typeof value === "string" ? value.replaceAll(from, to) : value

export interface Stock {
  readonly object: (n: number, resourceVersion: string) => string
  readonly extraVars: (n: number) => unknown
}

/** The sample's text, cut where its own words were, so that putting others in is no search. */
const cut = (text: string, words: ReadonlyArray<string>) => {
  const parts = text.split(new RegExp(`(${words.join("|")})`, "u"))
  const places = parts.map((part) => words.indexOf(part))
  return (others: ReadonlyArray<string>) => parts.map((part, index) => others[places[index] ?? -1] ?? part).join("")
}

const escaped = (word: string): string => word.replaceAll(/[.*+?^${}()|[\]\\]/gu, "\\$&")

export const makeStock = (sample: Sample): Stock => {
  const id = (text: string) => `"${text}"`
  const words = [
    sample.name,
    sample.uid,
    sample.version,
    sample.parameters,
    `"resourceVersion":${id(sample.resourceVersion)}`,
    `"jobID":${id(sample.jobID)}`,
    `"id":${id(sample.jobID)}`
  ].map(escaped)
  const whole = cut(sample.object, words)
  const variables = cut(sample.extraVars, words)
  const ownWords = (n: number, resourceVersion: string): ReadonlyArray<string> => {
    const parameters = parametersOf(n, sample.parameters.length)
    const spec = Object.fromEntries(
      Object.entries(sample.spec).map(([key, value]) => [
        key,
        spread(spread(value, sample.parameters, parameters), sample.name, nameOf(n))
      ])
    )
    const jobID = String(n + 1)
    return [
      nameOf(n),
      uidOf(n),
      configVersion(spec),
      parameters,
      `"resourceVersion":${id(resourceVersion)}`,
      `"jobID":${id(jobID)}`,
      `"id":${id(jobID)}`
    ]
  }
  return {
    object: (n, resourceVersion) => whole(ownWords(n, resourceVersion)),
    extraVars: (n): unknown => JSON.parse(variables(ownWords(n, sample.resourceVersion)))
  }
}
