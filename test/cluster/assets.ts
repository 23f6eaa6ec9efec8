/** The binaries of a control plane, from the folder in `KUBEBUILDER_ASSETS`; and what to say where they are not. */
import { existsSync } from "node:fs"
import { join } from "node:path"

export const assets = process.env.KUBEBUILDER_ASSETS ?? ""

export const present = (...binaries: ReadonlyArray<string>): boolean =>
  assets !== "" && binaries.every((binary) => existsSync(join(assets, binary)))

/** Says in one line what is left out, and how to have it. */
export const leftOut = (what: string): string => {
  const line = `Left out: ${what}; set KUBEBUILDER_ASSETS to what \`setup-envtest use -p path\` prints.`
  process.stdout.write(`${line}\n`)
  return line
}
