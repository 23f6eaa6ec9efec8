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

const key = /^[^/\s]+\/(?:provision\/[^/\s]+|deprovision)\/\d+$/u
/** Bounded, as people's variables may be large and hold anything. */
const keyInText = /[^/\s"']{1,64}\/(?:provision\/[^/\s"']{1,64}|deprovision)\/\d{1,15}/u

/** The launch key a job was launched under, whoever's it is. */
export const keyIn = (extraVars: string | null | undefined): string | undefined => {
  if (extraVars === undefined || extraVars === null || extraVars === "") return undefined
  const parsed = json(extraVars)
  if (parsed === undefined) return keyInText.exec(extraVars)?.[0]
  const carried = at(parsed, "ansible_eda", "event", "meta", "uuid")
  return typeof carried === "string" && key.test(carried) ? carried : undefined
}

/** Uid of the object that the job was launched for, by its key or by the resource it was given. */
export const ownerOf = (extraVars: string | null | undefined): string | undefined => {
  const carried = keyIn(extraVars)
  if (carried !== undefined) return carried.split("/")[0]
  const uid = at(json(extraVars ?? ""), "ansible_eda", "event", "payload", "metadata", "uid")
  return typeof uid === "string" && uid !== "" ? uid : undefined
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
  const carried = keyIn(extraVars)
  if (carried !== undefined) return carried === launchKey || carried.startsWith(`${uid}/`)
  return at(parsed, "ansible_eda", "event", "payload", "metadata", "uid") === uid
}
