/**
 * Argo CD's health script, as Argo CD runs it: the resource is the global `obj`, and the script returns what it makes of it.
 * Needs a Lua, which the variable `LUA` names.
 */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { parse } from "yaml"
import { at } from "./expectations.ts"

const lua = process.env.LUA ?? ""

export const isPresent = lua !== ""
export const leftOut = "left out: LUA does not name a Lua interpreter"

/** A JSON value as Lua writes it. */
const literal = (value: unknown): string => {
  if (typeof value === "string") {
    const escaped = value.replace(
      /["\\\p{Cc}]/gu,
      (character) => `\\${String(character.charCodeAt(0)).padStart(3, "0")}`
    )
    return `"${escaped}"`
  }
  if (Array.isArray(value)) return `{${value.map(literal).join(",")}}`
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value)
      .map(([key, inner]) => `[${literal(key)}]=${literal(inner)}`)
      .join(",")}}`
  }
  return value === null ? "nil" : String(value)
}

const KEY = "resource.customizations.health.cloudkit.openshift.io_ComputeInstance"

/** The health of each resource, in their order: `Healthy`, `Progressing`, … */
export const healthOf = (objects: ReadonlyArray<unknown>): ReadonlyArray<string> => {
  const script = String(at(parse(readFileSync("k8s/argocd/argocd-cm.yaml", "utf8")), "data", KEY))
  const programme = [
    `local function judge(object) obj = object\n${script}\nend`,
    ...objects.map(
      (object) => `do local hs = judge(${literal(object)}) print(hs.status .. " " .. type(hs.message)) end`
    )
  ]
  const output = execFileSync(lua, ["-"], {
    input: programme.join("\n"),
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024
  })
  return output
    .trim()
    .split("\n")
    .map((line) => line.replace(/ string$/u, ""))
}
