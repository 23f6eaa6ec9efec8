/** Writes the list of what the image holds, `dist/sbom.cdx.json` if no file is named. */
import { resolve } from "node:path"
import { writeSbom } from "./image/sbom.ts"

const target = resolve(process.argv[2] ?? "dist/sbom.cdx.json")
console.log(`${target}: ${await writeSbom(resolve("."), target)} components`)
