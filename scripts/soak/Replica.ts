/**
 * One place in which a process of the operator runs, with wires of its own: struck by signals, and started again. Whoever
 * ends without having been told to is a problem, and so is whoever was told to and does not.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Exit, Scope } from "effect"
import { freePort } from "../../test/support/ports.ts"
import { serve } from "../../test/support/Wire.ts"
import { inherited } from "../bench/Rig.ts"
import { DEPROVISION, PROVISION } from "../processes/Aap.ts"
import { type Child, type End, lastWords, start } from "../processes/Child.ts"
import type { Ambush, Victim, Wires } from "./Ambush.ts"
import { NAMESPACE, SYSTEM } from "./Site.ts"

export interface Replica extends Victim {
  readonly name: string
  /** Runs, and was not told to end. */
  readonly isWell: () => boolean
  /** Waits for the end of the process that was struck before, if there was one. */
  readonly start: (elected: boolean) => Effect.Effect<void>
  readonly ended: Effect.Effect<void>
}

export interface Place {
  readonly directory: string
  /** The file that is run. */
  readonly bundle: string
  readonly wires: Wires
  readonly ambush: Ambush
  readonly problem: (words: string) => void
}

/**
 * Everything that takes its time is made short. The quiet period is far below what is safe with a real AAP, and above all
 * that can delay a launch here: two seconds of request timeout, and what the weather adds.
 */
const pace = {
  CLOUDKIT_AAP_STATUS_POLL_INTERVAL: "1s",
  CLOUDKIT_AAP_REQUEST_TIMEOUT: "2s",
  CLOUDKIT_AAP_LAUNCH_QUIET_PERIOD: "4s",
  CLOUDKIT_LEASE_DURATION: "5s"
}

const LONGEST_STOP = "20 seconds"

const kubeconfig = (server: string) => ({
  apiVersion: "v1",
  kind: "Config",
  "current-context": "soak",
  clusters: [{ name: "soak", cluster: { server } }],
  contexts: [{ name: "soak", context: { cluster: "soak", namespace: NAMESPACE, user: "operator" } }],
  users: [{ name: "operator", user: { token: "operator-token" } }]
})

const environment = Effect.fnUntraced(function* (config: string, aap: string, elected: boolean) {
  const [health, metrics] = [yield* freePort, yield* freePort]
  return {
    ...inherited(),
    ...pace,
    NO_PROXY: "127.0.0.1",
    no_proxy: "127.0.0.1",
    KUBECONFIG: config,
    POD_NAMESPACE: SYSTEM,
    CLOUDKIT_PROVISIONING_PROVIDER: "aap",
    CLOUDKIT_COMPUTE_INSTANCE_NAMESPACE: NAMESPACE,
    CLOUDKIT_AAP_URL: `${aap}/api/controller`,
    CLOUDKIT_AAP_TOKEN: "operator-token",
    CLOUDKIT_AAP_PROVISION_TEMPLATE: PROVISION.name,
    CLOUDKIT_AAP_DEPROVISION_TEMPLATE: DEPROVISION.name,
    CLOUDKIT_LEADER_ELECT: String(elected),
    CLOUDKIT_HEALTH_PORT: String(health),
    CLOUDKIT_METRICS_PORT: String(metrics)
  }
})

interface Run {
  readonly child: Child
  readonly scope: Scope.Closeable
  struck: "SIGKILL" | "SIGTERM" | undefined
}

/** Told to, a process ends with 0; one that had hardly begun may know nothing of signals yet. */
const isExpected = (struck: Run["struck"], end: End) =>
  struck === "SIGKILL" || (struck === "SIGTERM" && (end === 0 || end === "SIGTERM"))

export const makeReplica = Effect.fnUntraced(function* (name: string, place: Place) {
  let run: Run | undefined
  const victim: Victim = {
    strike: (signal) =>
      Effect.suspend(() => {
        if (run === undefined) return Effect.void
        run.struck = run.struck === "SIGKILL" ? "SIGKILL" : signal
        return run.child.signal(signal)
      })
  }
  const { started, ...wires } = place.ambush.around(victim, place.wires)
  const { url: cluster } = yield* serve(wires.cluster)
  const { url: aap } = yield* serve(wires.aap)
  const config = join(place.directory, `${name}.kubeconfig`)
  const log = join(place.directory, `${name}.log`)
  writeFileSync(config, JSON.stringify(kubeconfig(cluster)))

  const watched = (own: Run) =>
    Effect.map(own.child.ended, (end) => {
      if (!isExpected(own.struck, end))
        place.problem(`${name} ended with ${end}${own.struck === undefined ? ", by itself" : ""}: ${lastWords(log)}`)
    })

  const tooSlow = (own: Run) =>
    Effect.suspend(() => {
      place.problem(`${name} did not end within ${LONGEST_STOP} of SIGTERM: ${lastWords(log)}`)
      own.struck = "SIGKILL"
      return Effect.andThen(own.child.signal("SIGKILL"), own.child.ended)
    })

  const ended = Effect.suspend(() => {
    const own = run
    if (own === undefined) return Effect.void
    return Effect.timeoutOrElse(own.child.ended, { duration: LONGEST_STOP, orElse: () => tooSlow(own) }).pipe(
      Effect.andThen(Scope.close(own.scope, Exit.void))
    )
  })

  yield* Effect.addFinalizer(() => Effect.andThen(victim.strike("SIGKILL"), ended))
  return {
    ...victim,
    name,
    isWell: () => run !== undefined && run.struck === undefined,
    ended,
    start: Effect.fnUntraced(function* (elected) {
      yield* ended
      started()
      const scope = yield* Scope.make()
      const child = yield* start({
        name,
        program: process.execPath,
        parameters: [place.bundle],
        log,
        readsOutput: false,
        env: yield* environment(config, aap, elected)
      }).pipe(Effect.provideService(Scope.Scope, scope))
      run = { child, scope, struck: undefined }
      yield* Effect.forkDetach(watched(run), { startImmediately: true })
    })
  } satisfies Replica
})
