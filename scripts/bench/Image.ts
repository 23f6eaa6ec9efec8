/** How the container starts the operator: the same command and environment, with the bundle and the Node of this folder. */
import { readFileSync } from "node:fs"
import { basename } from "node:path"
import { fileURLToPath } from "node:url"
import { finalStage, stagesIn, startOf } from "../image/Containerfile.ts"

const containerfile = fileURLToPath(new URL("../../k8s/Containerfile", import.meta.url))

const here = (word: string): string =>
  word.startsWith("/") ? (basename(word) === "node" ? "node" : `dist/${basename(word)}`) : word

const startOfImage = () => {
  const { entrypoint, env } = startOf(finalStage(stagesIn(readFileSync(containerfile, "utf8"))))
  const { PATH: _, ...variables } = env
  return { command: entrypoint.map(here), env: variables }
}

export const image = startOfImage()
