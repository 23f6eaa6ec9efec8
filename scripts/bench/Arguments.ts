/** What was asked for on the command line. */
import { image } from "./Image.ts"
import type { ProviderName, Row, Setting } from "./Row.ts"
import { churn } from "./rows/churn.ts"
import { burst, latency } from "./rows/launching.ts"
import { lifecycle } from "./rows/lifecycle.ts"
import { parallel } from "./rows/parallel.ts"
import { polls } from "./rows/polls.ts"
import { shutdown } from "./rows/shutdown.ts"
import { idle, idleMany, starting } from "./rows/stocked.ts"

const all: ReadonlyArray<Row> = [polls, lifecycle, parallel, latency, burst, starting, idle, idleMany, churn, shutdown]

const DEFAULT_OPERATOR = image.command.join(" ")

export const help = `Measures what the operator costs: npm run bench [-- OPTIONS]

  --only ROW            one row (may be repeated): ${all.map(({ name }) => name).join(", ")}
  --n COUNT             how many objects, instead of each row's own number
  --operator COMMAND    another operator in its place (default: ${DEFAULT_OPERATOR}); it gets KUBECONFIG and the CLOUDKIT_
                        and OSAC_ variables
  --time-scale FACTOR   lifecycles: divides the lengths of jobs and the poll interval (default 3; 1 is the true length)
  --provider aap|eda    who launches in the row parallel (default aap)
  --kube real           a real kube-apiserver, from the folder in KUBEBUILDER_ASSETS, for the rows lifecycle, burst and
                        parallel (with AAP); requests are counted from its audit log
  --out FOLDER          where the JSON and pictures go (default bench-results)
  --help                this text

Exit code 0: every target met, or void because the machine was busy. 1: a target missed. 2: unknown option.
`

export interface Wanted {
  readonly rows: ReadonlyArray<Row>
  readonly n: number | undefined
  readonly operator: ReadonlyArray<string>
  readonly timeScale: number
  readonly provider: ProviderName
  readonly kube: Setting["kube"]
  readonly out: string
}

export type Arguments =
  | { readonly _tag: "Run"; readonly wanted: Wanted }
  | { readonly _tag: "Help" }
  | { readonly _tag: "Wrong"; readonly message: string }

const wrong = (message: string): Arguments => ({ _tag: "Wrong", message: `${message}. See --help.` })

const options = ["--only", "--n", "--operator", "--time-scale", "--provider", "--kube", "--out"]

export const parseArguments = (given: ReadonlyArray<string>): Arguments => {
  const words = given.flatMap((one) => (/^--[a-z-]+=/u.test(one) ? one.split(/=(.*)/su, 2) : [one]))
  const values = new Map<string, ReadonlyArray<string>>()
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === "--help" || word === "-h") return { _tag: "Help" }
    const value = words.shift()
    if (!options.includes(word)) return wrong(`Unknown: ${word}`)
    if (value === undefined) return wrong(`${word} needs a value`)
    values.set(word, [...(values.get(word) ?? []), value])
  }
  const numberOf = (name: string) => {
    const text = values.get(name)?.at(-1)
    return text === undefined ? undefined : Number(text)
  }
  const [n, timeScale = 3] = [numberOf("--n"), numberOf("--time-scale")]
  if ([n ?? 1, timeScale].some((number) => !(number > 0))) return wrong("A number above 0 is expected")
  const only = values.get("--only") ?? []
  const unknown = only.find((name) => all.every((row) => row.name !== name))
  if (unknown !== undefined) return wrong(`No such row: ${unknown}`)
  const [operator, provider = "aap", kube = "simulated"] = [
    values.get("--operator")?.at(-1),
    values.get("--provider")?.at(-1),
    values.get("--kube")?.at(-1)
  ]
  if (provider !== "aap" && provider !== "eda") return wrong("--provider is aap or eda")
  if (kube !== "simulated" && kube !== "real") return wrong("--kube is simulated or real")
  if (kube === "real" && provider === "eda") return wrong("The playbooks of EDA need the simulated API server")
  const chosen = only.length === 0 ? all : all.filter(({ name }) => only.includes(name))
  const fixed = kube === "real" ? only.find((name) => all.some((row) => row.name === name && !row.portable)) : undefined
  if (fixed !== undefined) return wrong(`The row ${fixed} needs the simulated API server`)
  return {
    _tag: "Run",
    wanted: {
      // another operator would not know what to make of the records of this one
      rows:
        only.length > 0 || (operator === undefined && kube === "simulated")
          ? chosen
          : chosen.filter(({ portable }) => portable),
      n,
      timeScale,
      provider,
      kube,
      operator: (operator ?? DEFAULT_OPERATOR).split(/\s+/u).filter((word) => word !== ""),
      out: values.get("--out")?.at(-1) ?? "bench-results"
    }
  }
}
