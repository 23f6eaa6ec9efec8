/**
 * AAP's words for the state of a job, in the operator's terms. A word nobody knows is a state that is not terminal, and
 * the word itself is kept.
 */
import type { JobState } from "../../domain/Job.ts"
import type { JobRow } from "./Wire.ts"

const states: Readonly<Record<string, JobState>> = {
  new: "Pending",
  pending: "Pending",
  waiting: "Waiting",
  running: "Running",
  successful: "Succeeded",
  failed: "Failed",
  error: "Failed",
  canceled: "Canceled"
}

export interface Stated {
  readonly state: JobState
  /** The original word of an unknown state, otherwise empty. */
  readonly detail: string
}

export const stateOf = (status: string): Stated => {
  const state = Object.hasOwn(states, status) ? states[status] : undefined
  return state === undefined ? { state: "Unknown", detail: status } : { state, detail: "" }
}

/** The job has ended, and AAP will not change it any more. */
export const isTerminalStatus = (status: string): boolean => {
  const { state } = stateOf(status)
  return state === "Succeeded" || state === "Failed" || state === "Canceled"
}

export interface Times {
  readonly startedAt?: string
  readonly finishedAt?: string
}

const time = (value: string | null | undefined): string | undefined =>
  value === undefined || value === null || value === "" ? undefined : value

export const timesOf = (row: JobRow): Times => {
  const startedAt = time(row.started)
  const finishedAt = time(row.finished)
  return {
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(finishedAt === undefined ? {} : { finishedAt })
  }
}
