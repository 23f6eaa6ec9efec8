/**
 * Whose job a row is. Ids are not unique for ever (an AAP may be rebuilt or restored), so a row counts only when the
 * variables it was launched with carry our launch key or the object's uid.
 */
import { json } from "./ErrorTranslation.ts"

const at = (value: unknown, ...path: ReadonlyArray<string>): unknown => {
  let found = value
  for (const key of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined
    found = Object.entries(found).find(([name]) => name === key)?.[1]
  }
  return found
}

const keyPattern = (uid: string): RegExp =>
  new RegExp(`${uid.replace(/[^\w-]/gu, "\\$&")}/(?:provision/[0-9A-Za-z]+|deprovision)/\\d+`, "u")

const anyKey = /^[^/\s]+\/(?:provision\/[^/\s]+|deprovision)\/\d+$/u

/** The launch key a job was launched under, whoever's it is; variables that are not JSON are searched for one of `uid`. */
export const keyIn = (extraVars: string | null | undefined, uid?: string): string | undefined => {
  if (extraVars === undefined || extraVars === null || extraVars === "") return undefined
  const parsed = json(extraVars)
  if (parsed === undefined) return uid === undefined ? undefined : keyPattern(uid).exec(extraVars)?.[0]
  const key = at(parsed, "ansible_eda", "event", "meta", "uuid")
  return typeof key === "string" && anyKey.test(key) ? key : undefined
}

/** Whether the job was launched for the object, by this operator or by an earlier one that sent no key. */
export const belongsTo = (
  extraVars: string | null | undefined,
  uid: string,
  launchKey: string | undefined
): boolean => {
  if (extraVars === undefined || extraVars === null || uid === "") return false
  const parsed = json(extraVars)
  if (parsed === undefined) return extraVars.includes(uid)
  const key = keyIn(extraVars)
  if (key !== undefined) return key === launchKey || key.startsWith(`${uid}/`)
  return at(parsed, "ansible_eda", "event", "payload", "metadata", "uid") === uid
}
