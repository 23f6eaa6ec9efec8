/**
 * The least that an operator can do on the wires of the benchmark, to say what the wires themselves cost: it lists, watches,
 * and for every new object makes one write and one launch. It keeps nothing, and nothing in it is safe.
 */
import { readFileSync } from "node:fs"
import * as Http from "node:http"
import * as Https from "node:https"
import { fromUnknown, stringAt } from "../test/support/kubernetes/Json.ts"
import { PROVISION } from "./processes/Aap.ts"

const env = (name: string): string => process.env[name] ?? ""
const kubeconfig = readFileSync(env("KUBECONFIG"), "utf8")
const wordIn = (key: string): string => new RegExp(`"${key}":"([^"]+)"`, "u").exec(kubeconfig)?.[1] ?? ""
const server = wordIn("server")
const certificate = wordIn("certificate-authority")
const collection = `${server}/apis/cloudkit.openshift.io/v1alpha1/namespaces/default/computeinstances`
// both servers know it
const bearer = `Bearer ${env("CLOUDKIT_AAP_TOKEN")}`
const launch = `${env("CLOUDKIT_AAP_URL")}/v2/job_templates/${PROVISION.id}/launch/`
const plain = new Http.Agent({ keepAlive: true })
const encrypted = new Https.Agent({ keepAlive: true, ...(certificate === "" ? {} : { ca: readFileSync(certificate) }) })

const request = (url: string, options: Http.RequestOptions, take: (answer: Http.IncomingMessage) => void) =>
  url.startsWith("https:")
    ? Https.request(url, { ...options, agent: encrypted }, take)
    : Http.request(url, { ...options, agent: plain }, take)

/** How often a request is sent that meets a broken connection, and the pause before it is sent again. */
const ATTEMPTS = 20
const PAUSE = 10

const send = (method: string, url: string, body: string, then: (answer: string) => void, attempts = ATTEMPTS): void => {
  const headers = {
    "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json",
    authorization: bearer
  }
  const outgoing = request(url, { method, headers }, (answer) => {
    let text = ""
    answer.setEncoding("utf8")
    answer.on("data", (chunk: string) => {
      text += chunk
    })
    answer.on("end", () => then(text))
  })
  // a connection that the server closes as it is used again
  outgoing.once("error", (error) => {
    process.stderr.write(`${method} ${url}: ${error.message}\n`)
    if (attempts > 1) setTimeout(() => send(method, url, body, then, attempts - 1), PAUSE)
  })
  outgoing.end(body)
}

const launched = (object: unknown): void => {
  const name = stringAt(fromUnknown(object), "metadata", "name") ?? ""
  const note = JSON.stringify({ metadata: { annotations: { "null-operator": "was here" } } })
  send("PATCH", `${collection}/${name}`, note, () => {
    const payload = { ansible_eda: { event: { payload: object, meta: { uuid: name } } } }
    send("POST", launch, JSON.stringify({ extra_vars: payload }), () => undefined)
  })
}

const watch = (resourceVersion: string): void => {
  const outgoing = request(
    `${collection}?watch=true&resourceVersion=${resourceVersion}&timeoutSeconds=3600`,
    { headers: { authorization: bearer } },
    (answer) => {
      let rest = ""
      answer.setEncoding("utf8")
      answer.on("data", (chunk: string) => {
        const lines = (rest + chunk).split("\n")
        rest = lines.pop() ?? ""
        for (const line of lines) {
          if (line.startsWith('{"type":"ADDED"'))
            launched(fromUnknown(JSON.parse(line.slice(line.indexOf('"object":') + 9, -1))))
        }
      })
    }
  )
  outgoing.end()
}

Http.createServer((_, answer) => answer.end("ok")).listen(Number(env("CLOUDKIT_HEALTH_PORT")))
send("GET", `${collection}?limit=500`, "", (text) => {
  watch(stringAt(fromUnknown(JSON.parse(text)), "metadata", "resourceVersion") ?? "0")
})
process.on("SIGTERM", () => process.exit(0))
