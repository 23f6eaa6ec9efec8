/**
 * As much of kubectl as the documents use, for machines that have none: the same requests, and answers that say as much.
 * Where a real one is present, it is used instead.
 */
import { readFileSync } from "node:fs"
import { parseAllDocuments, stringify } from "yaml"
import { at, fromUnknown, isObject, type Json, type JsonObject, listAt, stringAt } from "../../support/kubernetes/Json.ts"
import { atPath } from "../../support/kubernetes/JsonPath.ts"

const fail = (message: string): never => {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

const config = fromUnknown(JSON.parse(readFileSync(process.env.KUBECONFIG ?? "", "utf8")))
const server = stringAt(listAt(config, "clusters")[0], "cluster", "server") ?? ""
const contextNamespace = stringAt(listAt(config, "contexts")[0], "context", "namespace") ?? "default"

interface Kind {
  readonly base: string
  readonly plural: string
}
const kinds: Readonly<Record<string, Kind>> = {
  computeinstance: { base: "/apis/cloudkit.openshift.io/v1alpha1", plural: "computeinstances" },
  ci: { base: "/apis/cloudkit.openshift.io/v1alpha1", plural: "computeinstances" },
  secret: { base: "/api/v1", plural: "secrets" }
}

const flags = new Map<string, string>()
const words: Array<string> = []
const withValue = new Set(["-o", "-n", "-p", "-f", "--field-selector", "--timeout", "--for"])
const given = process.argv.slice(2)
for (let index = 0; index < given.length; index++) {
  const word = given[index] ?? ""
  const [name = "", ...value] = word.split("=")
  if (word.startsWith("--") && value.length > 0) flags.set(name, value.join("="))
  else if (withValue.has(word)) flags.set(word, given[++index] ?? "")
  else if (word.startsWith("-") && word !== "-") flags.set(word, "")
  else words.push(word)
}

const namespace = flags.get("-n") ?? contextNamespace
const [verb = "", resource = "", name = ""] = words
const kindOf = (word: string): Kind =>
  kinds[word.toLowerCase().replace(/s$/u, "")] ?? fail(`this kubectl does not know ${word}`)

const collection = ({ base, plural }: Kind, of = namespace): string => `${base}/namespaces/${of}/${plural}`

const ask = async (method: string, path: string, body?: Json, type = "application/json") => {
  const answer = await fetch(`${server}${path}`, {
    method,
    headers: { accept: "application/json", "user-agent": "kubectl", "content-type": type },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  const text = await answer.text()
  return { status: answer.status, body: fromUnknown(text === "" ? {} : JSON.parse(text)) }
}

const must = async (...request: Parameters<typeof ask>): Promise<Json> => {
  const { body, status } = await ask(...request)
  if (status < 300) return body
  return fail(`Error from server (${stringAt(body, "reason") ?? status}): ${stringAt(body, "message") ?? ""}`)
}

const printed = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value))

/** The text around `{…}` as it is, and what each path leads to, parted by blanks. */
const jsonpath = (template: string, object: Json): string =>
  template.replaceAll(/\{([^}]*)\}/gu, (_, path: string) => atPath(object, path).map(printed).join(" "))

const row = (object: Json): string =>
  ["name", "namespace"].map((field) => stringAt(object, "metadata", field) ?? "").join("   ") +
  `   ${stringAt(object, "status", "phase") ?? ""}`

const show = (body: Json): string => {
  const output = flags.get("-o") ?? ""
  if (output.startsWith("jsonpath=")) return jsonpath(output.slice("jsonpath=".length), body)
  if (output === "yaml") return stringify(body)
  const items = at(body, "items") === undefined ? [body] : listAt(body, "items")
  return `${["NAME   NAMESPACE   PHASE", ...items.map(row)].join("\n")}\n`
}

const get = async (): Promise<string> => {
  const kind = kindOf(resource)
  const path = flags.has("-A") ? `${kind.base}/${kind.plural}` : collection(kind)
  const selector = flags.get("--field-selector")
  const query = selector === undefined ? "" : `?fieldSelector=${encodeURIComponent(selector)}`
  return show(await must("GET", name === "" ? `${path}${query}` : `${path}/${name}`))
}

const apply = async (): Promise<string> => {
  const file = flags.get("-f") ?? ""
  const said: Array<string> = []
  for (const document of parseAllDocuments(readFileSync(file === "-" ? 0 : file, "utf8"))) {
    const object = fromUnknown(document.toJS())
    const kind = kindOf(stringAt(object, "kind") ?? "")
    const path = collection(kind, stringAt(object, "metadata", "namespace"))
    const called = stringAt(object, "metadata", "name") ?? ""
    const { status } = await ask("GET", `${path}/${called}`)
    if (status === 200) await must("PATCH", `${path}/${called}`, object, "application/merge-patch+json")
    else await must("POST", path, object)
    said.push(`${kind.plural}/${called} ${status === 200 ? "configured" : "created"}\n`)
  }
  return said.join("")
}

const createSecret = async (): Promise<string> => {
  const [, , , called = ""] = words
  const [key = "", ...value] = (flags.get("--from-literal") ?? "").split("=")
  const data: JsonObject = { [key]: Buffer.from(value.join("=")).toString("base64") }
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: called, namespace }, type: "Opaque", data }
  await must("POST", collection({ base: "/api/v1", plural: "secrets" }), secret)
  return `secret/${called} created\n`
}

const patch = async (): Promise<string> => {
  const change = fromUnknown(JSON.parse(flags.get("-p") ?? "{}"))
  const below = flags.get("--subresource")
  const path = `${collection(kindOf(resource))}/${name}${below === undefined ? "" : `/${below}`}`
  await must("PATCH", path, change, "application/merge-patch+json")
  return `${resource}/${name} patched\n`
}

const annotate = async (): Promise<string> => {
  const pairs = words.slice(3).map((pair): readonly [string, Json] => {
    const [key = "", ...value] = pair.split("=")
    return key.endsWith("-") ? [key.slice(0, -1), null] : [key, value.join("=")]
  })
  const metadata = { annotations: Object.fromEntries(pairs) }
  await must("PATCH", `${collection(kindOf(resource))}/${name}`, { metadata }, "application/merge-patch+json")
  return `${resource}/${name} annotated\n`
}

/** Looks again until it holds, or for too long. */
const until = async (holds: () => Promise<boolean>): Promise<void> => {
  for (let left = 300; left > 0; left--) {
    if (await holds()) return
    await new Promise((resume) => setTimeout(resume, 100))
  }
  fail("timed out")
}

const remove = async (): Promise<string> => {
  const path = `${collection(kindOf(resource))}/${name}`
  await must("DELETE", path)
  if (!flags.has("--wait")) await until(async () => (await ask("GET", path)).status === 404)
  return `${resource} "${name}" deleted\n`
}

const wait = async (): Promise<string> => {
  const [kind = "", called = ""] = resource.split("/")
  const wanted = (flags.get("--for") ?? "").replace("condition=", "")
  const path = `${collection(kindOf(kind))}/${called}`
  const met = (condition: Json) => at(condition, "type") === wanted && at(condition, "status") === "True"
  const holds = async () => {
    const { body, status } = await ask("GET", path)
    return wanted === "delete" ? status === 404 : isObject(body) && listAt(body, "status", "conditions").some(met)
  }
  await until(holds)
  return `${resource} condition met\n`
}

const verbs: Readonly<Record<string, () => Promise<string>>> = {
  get,
  apply,
  create: createSecret,
  patch,
  annotate,
  delete: remove,
  wait
}
process.stdout.write(await (verbs[verb] ?? (() => fail(`this kubectl does not know ${verb}`)))())
