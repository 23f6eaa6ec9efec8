/** The graph of a workflow job: which nodes run next, and how the whole ends. Pure, but for nodes marked never to run. */
import { isTerminal, type Job, type Node } from "./World.ts"

const done = (node: Node): boolean => node.doNotRun || (node.job !== undefined && isTerminal(node.job))

const failed = (node: Node): boolean =>
  node.job !== undefined && isTerminal(node.job) && node.job.status !== "successful"

/** The identifiers that follow from a finished node. */
const followed = (node: Node): ReadonlyArray<string> => {
  if (node.job === undefined) return []
  const { success = [], failure = [], always = [] } = node.spec
  return node.job.status === "successful" ? [...success, ...always] : [...failure, ...always]
}

const edges = (node: Node): ReadonlyArray<string> => [
  ...(node.spec.success ?? []),
  ...(node.spec.failure ?? []),
  ...(node.spec.always ?? [])
]

/** The nodes whose turn it is; nodes no path leads to any more are marked on the way. */
export const spawnReadyNodes = (workflow: Job): ReadonlyArray<Node> => {
  if (workflow.canceledOn !== undefined) return []
  const ready: Array<Node> = []
  for (let changed = true; changed; ) {
    changed = false
    for (const node of workflow.nodes) {
      if (node.job !== undefined || node.doNotRun || ready.includes(node)) continue
      const parents = workflow.nodes.filter((other) => edges(other).includes(node.spec.identifier))
      if (
        parents.length === 0 ||
        parents.some((parent) => done(parent) && followed(parent).includes(node.spec.identifier))
      ) {
        ready.push(node)
        changed = true
      } else if (parents.every(done)) {
        node.doNotRun = true
        changed = true
      }
    }
  }
  return ready
}

/** `undefined` while anything runs. */
export const workflowOutcome = (
  workflow: Job
): { readonly status: string; readonly explanation: string } | undefined => {
  if (workflow.nodes.length === 0 || !workflow.nodes.every(done)) return undefined
  if (workflow.canceledOn !== undefined) return { status: "canceled", explanation: workflow.explanation }
  const unhandled = workflow.nodes.some((node) => failed(node) && followed(node).length === 0)
  return unhandled
    ? { status: "failed", explanation: "No error handling paths found, marking workflow as failed" }
    : { status: "successful", explanation: "" }
}
