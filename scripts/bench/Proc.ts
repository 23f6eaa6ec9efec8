/** What a process and the machine use, as Linux tells it. */
import { readdirSync, readFileSync } from "node:fs"
import { cpus, release, totalmem } from "node:os"

const TICKS = 100

const fieldsOf = (stat: string): ReadonlyArray<string> => stat.slice(stat.lastIndexOf(")") + 2).split(" ")

/** What the kernel says of a process; nothing of one that has ended. */
const read = (pid: number, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8")
  } catch {
    return ""
  }
}

/** Seconds of CPU that the process has used; 0 when it has ended. */
export const cpuSeconds = (pid: number): number => {
  const fields = fieldsOf(read(pid, "stat"))
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS
}

const mebibytesOf = (pid: number, field: string): number =>
  Number(new RegExp(`${field}:\\s+(\\d+)`, "u").exec(read(pid, "status"))?.[1] ?? "0") / 1024

export const rss = (pid: number): number => mebibytesOf(pid, "VmRSS")
export const peakRss = (pid: number): number => mebibytesOf(pid, "VmHWM")

export const sockets = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length

/** Seconds of CPU that the whole machine has used, of all cores together. */
export const machineSeconds = (): number => {
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n")
  const [user = 0, nice = 0, system = 0, , , irq = 0, soft = 0] = line.trim().split(/\s+/u).slice(1).map(Number)
  return (user + nice + system + irq + soft) / TICKS
}

export const machine = () => ({
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 1024 ** 3),
  kernel: release(),
  node: process.version
})
