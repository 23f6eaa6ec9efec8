/** What the API server wrote down of one user's requests to ComputeInstances. */
import { readFileSync } from "node:fs"
import { Result } from "effect"
import { isObject, numberAt, parseJson, stringAt } from "../support/kubernetes/Json.ts"

export interface Asked {
  /** `list`, `watch`, `patch` and so on. */
  readonly verb: string
  /** `status`, or nothing. */
  readonly subresource: string
  readonly name: string
  readonly code: number
}

/** Every request once, oldest first, also one that is being answered. */
export const askedBy = (user: string, file: string): ReadonlyArray<Asked> => {
  const requests = new Map<string, Asked>()
  for (const line of readFileSync(file, "utf8").split("\n")) {
    // whoever is killed may leave half a line
    const entry = Result.getOrUndefined(parseJson(line))
    if (entry === undefined || !isObject(entry) || stringAt(entry, "user", "username") !== user) continue
    if (stringAt(entry, "objectRef", "resource") !== "computeinstances") continue
    requests.set(stringAt(entry, "auditID") ?? "", {
      verb: stringAt(entry, "verb") ?? "",
      subresource: stringAt(entry, "objectRef", "subresource") ?? "",
      name: stringAt(entry, "objectRef", "name") ?? "",
      code: numberAt(entry, "responseStatus", "code") ?? 0
    })
  }
  return [...requests.values()]
}
