/**
 * As much of kubectl as the documents use, for machines that have none: the same requests, and answers that say as much.
 * Where a real one is present, it is used instead.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { parseAllDocuments, stringify } from "yaml"
import {
  at,
  fromUnknown,
  type Json,
  type JsonObject,
  listAt,
  objectAt,
  stringAt
} from "../../support/kubernetes/Json.ts"
import { atPath } from "../../support/kubernetes/JsonPath.ts"
import type { Cluster } from "../Cluster.ts"
import { parted, type Tool, ToolFailed } from "./Tool.ts"

interface Kind {
  readonly base: string
  readonly plural: string
}
const kinds: Readonly<Record<string, Kind>> = {
  computeinstance: { base: "/apis/cloudkit.openshift.io/v1alpha1", plural: "computeinstances" },
  ci: { base: "/apis/cloudkit.openshift.io/v1alpha1", plural: "computeinstances" },
  deployment: { base: "/apis/apps/v1", plural: "deployments" },
  lease: { base: "/apis/coordination.k8s.io/v1", plural: "leases" },
  secret: { base: "/api/v1", plural: "secrets" }
}

const valued = new Set(["-o", "-n", "-p", "-f", "--field-selector"])

/** One call: where it goes, and what it was given. */
interface Call {
  readonly cluster: Cluster
  readonly home: string
  readonly input: string
  readonly options: ReadonlyMap<string, string>
  readonly namespace: string
  /** What follows the verb. */
  readonly others: ReadonlyArray<string>
}

const fail = (message: string) => Effect.fail(new ToolFailed({ message }))

const kindOf = (word: string) => {
  const kind = kinds[word.toLowerCase().replace(/s$/u, "")]
  return kind === undefined ? fail(`this kubectl does not know ${word}`) : Effect.succeed(kind)
}

const collection = ({ base, plural }: Kind, namespace: string): string => `${base}/namespaces/${namespace}/${plural}`

/** The object that `kind name` or `kind/name` means. */
const named = Effect.fnUntraced(function* ({ namespace, others }: Call) {
  const [kind = "", name = ""] = (others[0] ?? "").includes("/") ? (others[0] ?? "").split("/") : others
  return { kind, name, path: `${collection(yield* kindOf(kind), namespace)}/${name}` }
})

const must = Effect.fnUntraced(function* ({ cluster }: Call, method: string, path: string, sent?: Json) {
  const { body, status } = yield* cluster.ask(method, path, sent)
  if (status < 300) return body
  return yield* fail(`Error from server (${stringAt(body, "reason") ?? status}): ${stringAt(body, "message") ?? ""}`)
})

const printed = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value))

/** The text around `{…}` as it is, and what each path leads to, parted by blanks. */
const jsonpath = (template: string, object: Json): string =>
  template.replaceAll(/\{([^}]*)\}/gu, (_, path: string) => atPath(object, path).map(printed).join(" "))

const row = (object: Json): string =>
  [
    stringAt(object, "metadata", "namespace"),
    stringAt(object, "metadata", "name"),
    stringAt(object, "status", "phase")
  ].join("   ")

const show = (body: Json, format: string): string => {
  if (format.startsWith("jsonpath=")) return jsonpath(format.slice("jsonpath=".length), body)
  if (format === "yaml") return stringify(body)
  const items = at(body, "items") === undefined ? [body] : listAt(body, "items")
  return `${["NAMESPACE   NAME   PHASE", ...items.map(row)].join("\n")}\n`
}

const get = Effect.fnUntraced(function* (call: Call) {
  const { options, others } = call
  const kind = yield* kindOf((others[0] ?? "").split("/")[0] ?? "")
  const all = options.has("-A") ? `${kind.base}/${kind.plural}` : collection(kind, call.namespace)
  const selector = options.get("--field-selector")
  const query = selector === undefined ? "" : `?fieldSelector=${encodeURIComponent(selector)}`
  const single = others.length > 1 || (others[0] ?? "").includes("/")
  const path = single ? (yield* named(call)).path : `${all}${query}`
  return show(yield* must(call, "GET", path), options.get("-o") ?? "")
})

const apply = Effect.fnUntraced(function* (call: Call) {
  const file = call.options.get("-f") ?? ""
  let said = ""
  for (const document of parseAllDocuments(file === "-" ? call.input : readFileSync(join(call.home, file), "utf8"))) {
    const object = fromUnknown(document.toJS())
    const kind = yield* kindOf(stringAt(object, "kind") ?? "")
    const all = collection(kind, stringAt(object, "metadata", "namespace") ?? call.namespace)
    const name = stringAt(object, "metadata", "name") ?? ""
    const { status } = yield* call.cluster.ask("GET", `${all}/${name}`)
    yield* status === 200 ? must(call, "PATCH", `${all}/${name}`, object) : must(call, "POST", all, object)
    said += `${kind.plural}/${name} ${status === 200 ? "configured" : "created"}\n`
  }
  return said
})

const createSecret = Effect.fnUntraced(function* (call: Call) {
  const name = call.others[2] ?? ""
  const [key = "", ...value] = (call.options.get("--from-literal") ?? "").split("=")
  const data: JsonObject = { [key]: Buffer.from(value.join("=")).toString("base64") }
  const metadata = { name, namespace: call.namespace }
  yield* must(call, "POST", collection({ base: "/api/v1", plural: "secrets" }, call.namespace), {
    ...{ apiVersion: "v1", kind: "Secret", metadata, type: "Opaque", data }
  })
  return `secret/${name} created\n`
})

const patch = Effect.fnUntraced(function* (call: Call) {
  const { kind, name, path } = yield* named(call)
  const below = call.options.get("--subresource")
  const change = fromUnknown(JSON.parse(call.options.get("-p") ?? "{}"))
  yield* must(call, "PATCH", below === undefined ? path : `${path}/${below}`, change)
  return `${kind}/${name} patched\n`
})

const annotate = Effect.fnUntraced(function* (call: Call) {
  const { kind, name, path } = yield* named(call)
  const pairs = call.others
    .filter((word) => /^[\w.]+\/[\w-]+(?:=|-$)/u.test(word))
    .map((pair): readonly [string, Json] => {
      const [key = "", ...value] = pair.split("=")
      return value.length === 0 ? [key.slice(0, -1), null] : [key, value.join("=")]
    })
  yield* must(call, "PATCH", path, { metadata: { annotations: Object.fromEntries(pairs) } })
  return `${kind}/${name} annotated\n`
})

const gone = (call: Call, path: string) =>
  Effect.repeat(Effect.delay(call.cluster.ask("GET", path), "100 millis"), { until: ({ status }) => status === 404 })

const remove = Effect.fnUntraced(function* (call: Call) {
  const { kind, name, path } = yield* named(call)
  yield* must(call, "DELETE", path)
  if (call.options.get("--wait") !== "false") yield* gone(call, path)
  return `${kind} "${name}" deleted\n`
})

const wait = Effect.fnUntraced(function* (call: Call) {
  const { name, path } = yield* named(call)
  const wanted = (call.options.get("--for") ?? "").replace("condition=", "")
  if (wanted === "delete") yield* gone(call, path)
  else {
    yield* Effect.repeat(Effect.delay(call.cluster.ask("GET", path), "100 millis"), {
      until: ({ body }) =>
        listAt(body, "status", "conditions").some((one) => at(one, "type") === wanted && at(one, "status") === "True")
    })
  }
  return `${name} condition met\n`
})

/** `rollout restart`: what kubectl does is a change of the template; who acts on it is another matter. */
const rollout = Effect.fnUntraced(function* (call: Call) {
  const { kind, name, path } = yield* named({ ...call, others: call.others.slice(1) })
  const annotations = { "kubectl.kubernetes.io/restartedAt": new Date().toISOString() }
  yield* must(call, "PATCH", path, { spec: { template: { metadata: { annotations } } } })
  return `${kind}/${name} restarted\n`
})

const variableOf = (word: string): JsonObject => {
  const [name = "", ...value] = word.split("=")
  return { name, value: value.join("=") }
}

/** The variables that the keys of a Secret make. */
const fromSecret = Effect.fnUntraced(function* (call: Call, secret: string) {
  const body = yield* must(call, "GET", `/api/v1/namespaces/${call.namespace}/secrets/${secret}`)
  return Object.keys(objectAt(body, "data")).map(
    (key): JsonObject => ({
      name: `${call.options.get("--prefix") ?? ""}${key.toUpperCase()}`,
      valueFrom: { secretKeyRef: { name: secret, key } }
    })
  )
})

/** `set env` of a Deployment with one container. */
const setEnv = Effect.fnUntraced(function* (call: Call) {
  const { kind, name, path } = yield* named({ ...call, others: call.others.slice(1) })
  const [container = null] = listAt(yield* must(call, "GET", path), "spec", "template", "spec", "containers")
  const secret = call.options.get("--from")?.replace("secret/", "")
  const given = call.others.slice(2).map((word) => variableOf(word))
  const set = secret === undefined ? given : yield* fromSecret(call, secret)
  const kept = listAt(container, "env").filter((one) => set.every((other) => other.name !== at(one, "name")))
  const containers = [{ ...objectAt(container), env: [...kept, ...set] }]
  yield* must(call, "PATCH", path, { spec: { template: { spec: { containers } } } })
  return `${kind}/${name} env updated\n`
})

const describe = (call: Call) =>
  Effect.flatMap(named(call), ({ path }) => Effect.map(must(call, "GET", path), (body) => show(body, "yaml")))

const verbs: Readonly<Record<string, (call: Call) => Effect.Effect<string, ToolFailed>>> = {
  ...{ get, apply, patch, annotate, describe, rollout, wait },
  create: createSecret,
  set: setEnv,
  delete: remove
}

export const kubectl =
  (cluster: Cluster, home: string): Tool =>
  (given, input) => {
    const { options, others } = parted(given, valued)
    const [verb = "", ...rest] = others
    const does = verbs[verb]
    if (does === undefined) return fail(`this kubectl does not know ${verb}`)
    return does({ cluster, home, input, options, others: rest, namespace: options.get("-n") ?? cluster.namespace })
  }
