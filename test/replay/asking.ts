/** Asking the simulated AAP: requests by method and path, answers as status, headers and JSON. */
import { Effect } from "effect"
import type { SimulatedAap } from "../support/SimulatedAap.ts"
import * as Aap from "../support/SimulatedAap.ts"

export interface Json {
  readonly [key: string]: unknown
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  readonly json: Json
}

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** The object under a path of keys; `{}` where there is none. */
export const at = (value: unknown, ...path: ReadonlyArray<string>): Json => {
  const [key, ...rest] = path
  if (!isJson(value)) return {}
  return key === undefined ? value : at(value[key], ...rest)
}

export const rows = ({ json }: Pick<Answer, "json">): ReadonlyArray<Json> =>
  Array.isArray(json.results) ? json.results.filter(isJson) : []

export const ids = (answer: Answer): ReadonlyArray<unknown> => rows(answer).map(({ id }) => id)

export const ask = (
  aap: SimulatedAap,
  request: string,
  body?: unknown,
  token: string | undefined = "admin-token"
): Effect.Effect<Answer> => {
  const [method = "", path = ""] = request.split(" ")
  const call = {
    method,
    url: new URL(path.startsWith("/") ? path : `/api/v2/${path}`, "http://aap.test"),
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body)
  }
  return aap.handler(call).pipe(
    Effect.orDie,
    Effect.map(({ status, headers, body: answered }) => {
      const text = typeof answered === "string" ? answered : ""
      const json: unknown = headers["content-type"] === "application/json" ? JSON.parse(text) : {}
      return { status, headers, text, json: isJson(json) ? json : {} }
    })
  )
}

/** Extra variables as an operator sends them. */
export const variables = (uid: string, key: string) => ({
  extra_vars: {
    ansible_eda: {
      event: {
        payload: { kind: "ComputeInstance", metadata: { uid, name: "vm", namespace: "ns" } },
        meta: { uuid: key }
      }
    }
  }
})

/** Launches the template for the object `u1`. */
export const launch = (aap: SimulatedAap, template = 7) =>
  ask(aap, `POST job_templates/${template}/launch/`, variables("u1", "k1"))

/** A simulated AAP whose every job follows this playbook. */
export const playing = (playbook: Partial<Aap.Playbook>, options: Aap.Options = {}) =>
  Effect.tap(Aap.make(options), (aap) => aap.play(() => ({ ...Aap.defaultPlaybook, ...playbook })))

export const statusOf = (aap: SimulatedAap, id = 1) =>
  Effect.map(ask(aap, `GET jobs/${id}/`), ({ json }) => json.status)
