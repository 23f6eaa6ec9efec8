/**
 * How a pod starts the operator: the image's command and environment, with the bundle and the Node of this folder, and the
 * heap that Node gives itself under the manifest's limit of memory, which is half of it.
 */
import { readFileSync } from "node:fs"
import { basename } from "node:path"
import { fileURLToPath } from "node:url"
import { finalStage, stagesIn, startOf } from "../image/Containerfile.ts"

const textOf = (file: string): string =>
  readFileSync(fileURLToPath(new URL(`../../k8s/${file}`, import.meta.url)), "utf8")

const here = (word: string): string =>
  word.startsWith("/") ? (basename(word) === "node" ? "node" : `dist/${basename(word)}`) : word

const startOfImage = () => {
  const { entrypoint, env: given } = startOf(finalStage(stagesIn(textOf("Containerfile"))))
  const { PATH: _, NODE_OPTIONS = "", ...variables } = given
  const [, limit = "512"] = /limits:\s+memory: (\d+)Mi/u.exec(textOf("base/deployment.yaml")) ?? []
  /** Under another limit of memory than the manifest's, in MiB, if one is given. */
  const env = (memory = Number(limit)) => ({
    ...variables,
    NODE_OPTIONS: `${NODE_OPTIONS} --max-old-space-size=${memory / 2}`.trim()
  })
  return { command: entrypoint.map(here), env }
}

export const image = startOfImage()
