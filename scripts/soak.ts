/**
 * `npm run soak`: the built operator as processes that are killed in the midst of what they do, between simulators over HTTP.
 * When the kills are over, the ground truth is judged and printed.
 *
 * `npm run soak -- --schedules N [--jobs J] [--seed S]`: plays N random schedules in virtual time on all cores instead, and
 * judges each by the ground truth. The first that breaks a promise is made as small as can be and printed as a line that
 * replays it.
 *
 * The exit code is 0 if all is well, and 1 if a promise was broken.
 */
import { parseArgs } from "node:util"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Effect, Exit } from "effect"
import { assets, leftOut, present } from "../test/cluster/assets.ts"
import { type Options, soak } from "./soak/processes.ts"
import { exitCodeOf, reportOf } from "./soak/Report.ts"
import { soakSchedules } from "./soak/schedules.ts"

const usage = `usage: npm run soak -- [--lives N] [--seed S] [--seconds LIMIT] [--kube simulated|real] [--replicas 1|2|alternating]
                        [--crowd LIVES AT A TIME] [--operator FILE]
       npm run soak -- --schedules N [--jobs J] [--seed S]`

const refuse = (why: string): never => {
  console.error(`${why}\n${usage}`)
  process.exit(2)
}

const argumentsGiven = () => {
  try {
    return parseArgs({
      options: {
        schedules: { type: "string" },
        jobs: { type: "string" },
        seed: { type: "string", default: "1" },
        lives: { type: "string", default: "500" },
        seconds: { type: "string", default: "900" },
        crowd: { type: "string", default: "60" },
        kube: { type: "string", default: "simulated" },
        replicas: { type: "string", default: "alternating" },
        operator: { type: "string" }
      }
    }).values
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}
const values = argumentsGiven()

const whole = (name: string, text: string): number => {
  const value = Number(text)
  return Number.isInteger(value) && value >= 0 ? value : refuse(`--${name} must be a whole number, found "${text}"`)
}

const kube = (): Options["kube"] => {
  if (values.kube === "simulated") return "simulated"
  if (values.kube !== "real") return refuse(`--kube must be simulated or real, found "${values.kube}"`)
  if (present("etcd", "kube-apiserver")) return "real"
  return refuse(leftOut(`a real kube-apiserver (looked in "${assets}")`))
}

const replicas = (): Options["replicas"] => {
  if (values.replicas === "1") return 1
  if (values.replicas === "2") return 2
  return values.replicas === "alternating"
    ? "alternating"
    : refuse(`--replicas must be 1, 2 or alternating, found "${values.replicas}"`)
}

const processes = () => {
  const lives = whole("lives", values.lives)
  const options: Options = {
    lives,
    // of 500 lives at least 100 see the operator die in the midst of a launch
    kills: Math.ceil(lives / 5),
    seed: whole("seed", values.seed),
    seconds: whole("seconds", values.seconds),
    crowd: whole("crowd", values.crowd),
    longestJob: 2_500,
    kube: kube(),
    replicas: replicas(),
    operator: values.operator,
    say: (line) => console.log(line)
  }
  const run = Effect.map(soak(options), (outcome) => {
    console.log(reportOf(outcome, options))
    return exitCodeOf(outcome, options)
  })
  NodeRuntime.runMain(run, {
    disableErrorReporting: true,
    teardown: (exit, done) => {
      if (Exit.isSuccess(exit)) return done(typeof exit.value === "number" ? exit.value : 0)
      if (!Cause.hasInterruptsOnly(exit.cause)) console.error(Cause.pretty(exit.cause))
      done(1)
    }
  })
}

if (values.schedules === undefined) processes()
else {
  process.exitCode = await soakSchedules({
    count: whole("schedules", values.schedules),
    seed: whole("seed", values.seed),
    jobs: values.jobs === undefined ? undefined : whole("jobs", values.jobs)
  })
}
