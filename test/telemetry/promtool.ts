/** Prometheus's own judge, from `PROMTOOL` or the path; and what to say where there is none. */
import { spawnSync } from "node:child_process"

const tool = process.env.PROMTOOL ?? "promtool"

export const isPresent = spawnSync(tool, ["--version"]).status === 0

/** Says in one line what is left out, and how to have it. */
export const leftOut = (what: string): string => {
  const line = `Left out: ${what}; set PROMTOOL to Prometheus's promtool, which .ci/promtool fetches on Debian.`
  process.stdout.write(`${line}\n`)
  return line
}

export interface Judgement {
  readonly status: number | null
  readonly said: string
}

export const promtool = (parameters: ReadonlyArray<string>, input = ""): Judgement => {
  const { status, stderr, stdout } = spawnSync(tool, parameters, { input, encoding: "utf8" })
  return { status, said: `${stdout}${stderr}` }
}
