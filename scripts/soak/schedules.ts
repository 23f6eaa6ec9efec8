/** Random schedules on all cores: hands out seeds to worker processes, adds up what they met, and judges. */
import { type ChildProcess, fork } from "node:child_process"
import { availableParallelism } from "node:os"
import { scheduleOf } from "../../test/support/schedules.ts"
import { lineOf } from "../../test/support/schedulesReplay.ts"
import { shrink } from "../../test/support/schedulesShrink.ts"
import { story } from "../../test/support/schedulesStory.ts"
import { type Batch, isReport } from "./schedulesMessages.ts"

export interface Options {
  readonly count: number
  readonly seed: number
  readonly jobs: number | undefined
}

/** Schedules that a worker gets at a time. */
const BATCH = 20
const PROGRESS_EVERY = 10_000

const makeTally = (count: number) => {
  const faults = new Map<string, number>()
  const begun = performance.now()
  let lives = 0
  let struck = 0
  const rate = () => `${((lives * 1_000) / (performance.now() - begun)).toFixed(1)} a second`
  return {
    add: (played: number, met: Readonly<Record<string, number>>) => {
      lives += played
      for (const [fault, times] of Object.entries(met)) {
        struck += times
        faults.set(fault, (faults.get(fault) ?? 0) + times)
      }
    },
    progress: () => console.log(`${lives} of ${count} schedules, ${rate()}, ${struck} faults`),
    sum: () => {
      console.log(
        `${lives} schedules, ${rate()}; ${struck} faults, ${(struck / Math.max(1, lives)).toFixed(2)} in each:`
      )
      for (const [fault, times] of [...faults].toSorted((a, b) => b[1] - a[1])) {
        console.log(`${String(times).padStart(10)}  ${fault}`)
      }
    }
  }
}

/** Lets the workers play all seeds. Answers the first that broke something, if one did. */
const playAll = ({ count, jobs, seed }: Options, tally: ReturnType<typeof makeTally>): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const workers = new Set<ChildProcess>()
    let next = seed
    let over = false

    const end = (act: () => void) => {
      if (over) return
      over = true
      for (const worker of workers) worker.kill()
      act()
    }
    const feed = (worker: ChildProcess) => {
      const batch: Batch = { from: next, count: Math.min(BATCH, seed + count - next) }
      if (batch.count > 0) {
        next += batch.count
        worker.send(batch)
        return
      }
      workers.delete(worker)
      worker.kill()
      if (workers.size === 0) end(() => resolve(undefined))
    }

    for (let n = 0; n < (jobs ?? availableParallelism()); n++) {
      const worker = fork(new URL("./schedulesWorker.ts", import.meta.url))
      workers.add(worker)
      worker.on("message", (message: unknown) => {
        if (!isReport(message)) return end(() => reject(new Error(`a worker said ${JSON.stringify(message)}`)))
        tally.add(message.lives, message.faults)
        const { broken } = message
        if (broken === undefined) feed(worker)
        else end(() => resolve(broken))
      })
      worker.on("exit", (code, signal) => {
        if (workers.has(worker)) end(() => reject(new Error(`a worker ended (${signal ?? code})`)))
      })
      feed(worker)
    }
  })

const show = async (seed: number): Promise<void> => {
  console.log(`seed ${seed} broke a promise; looking for the smallest schedule that does`)
  const { outcome, schedule, tried } = await shrink(scheduleOf(seed))
  console.log(`after ${tried} schedules:`)
  console.log(outcome.violations.join("\n"))
  console.log(`${lineOf(schedule)} npx vitest run test/reconcile/Interleavings.test.ts`)
  console.log(story(outcome))
}

/** The exit code. */
export const soakSchedules = async (options: Options): Promise<number> => {
  const tally = makeTally(options.count)
  const timer = setInterval(tally.progress, PROGRESS_EVERY)
  const broken = await playAll(options, tally).finally(() => clearInterval(timer))
  tally.sum()
  if (broken === undefined) {
    console.log(`nothing launched twice, lost or left behind (seeds ${options.seed} and on)`)
    return 0
  }
  await show(broken)
  return 1
}
