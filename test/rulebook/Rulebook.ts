/**
 * A real ansible-rulebook with the rules and playbooks in `files`, on a loopback port for as long as a scope lasts.
 *
 * Its access log and the file that the playbooks add lines to are the ground truth of what was asked and what was run.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { Data, Effect, Schedule, Schema, type Scope } from "effect"
import type { Operation } from "../../src/domain/Job.ts"
import { PATIENCE } from "../support/eventually.ts"
import { home } from "./home.ts"
import { inherited, type Process, start, temporaryFolder } from "./Process.ts"
import type { Site } from "./Site.ts"

export const TOKEN = "a-token-of-the-webhook"

/** The beginning or the end of one run of a playbook. */
const Line = Schema.Struct({
  moment: Schema.Literals(["began", "ended"]),
  operation: Schema.Literals(["provision", "deprovision"]),
  name: Schema.String,
  uid: Schema.String,
  version: Schema.String,
  /** Of the event that the run is for. */
  event: Schema.String,
  /** Whether the object came with managedFields. */
  managed: Schema.Boolean
})
type Line = typeof Line.Type

const decodeLine = Schema.decodeUnknownSync(Schema.fromJsonString(Line))

export interface Rulebook {
  readonly url: string
  /** Every request, as `POST /create-compute-instance 200 cloudkit-operator`, oldest first. */
  readonly requests: () => ReadonlyArray<string>
  /** What the playbooks noted about this object, oldest first. */
  readonly noted: (name: string) => ReadonlyArray<Line>
  /** Waits until the playbooks noted so many lines about this object. */
  readonly until: (name: string, count: number) => Effect.Effect<void>
  /** Lets the playbooks of this operation for this object come to their end, now and later. */
  readonly finish: (operation: Operation, name: string) => Effect.Effect<void>
  readonly said: () => string
}

class RulebookError extends Data.TaggedError("RulebookError")<{ readonly message: string; readonly cause?: unknown }> {}

const files = fileURLToPath(new URL("files", import.meta.url))

const accessed = /aiohttp\.access - INFO - \S+ \[[^\]]*\] "(\S+) (\S+) [^"]*" (\d+) \d+ "[^"]*" "([^"]*)"/gu

const requestsIn = (log: string): ReadonlyArray<string> =>
  [...log.matchAll(accessed)].map(([, ...parts]) => parts.join(" "))

const linesIn = (file: string): ReadonlyArray<Line> =>
  existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .slice(0, -1)
        .map((line) => decodeLine(line))
    : []

/** Somebody listens. No request is made, so that the access log is the operator's alone. */
const listens = (port: number): Effect.Effect<void, RulebookError> =>
  Effect.callback((resume) => {
    const socket = connect(port, "127.0.0.1")
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.void)
    })
    socket.once("error", (cause) =>
      resume(Effect.fail(new RulebookError({ message: "ansible-rulebook does not listen", cause })))
    )
    return Effect.sync(() => socket.destroy())
  })

const environment = (site: Site, folder: string): NodeJS.ProcessEnv => ({
  ...inherited(),
  PATH: [join(home, "bin"), process.env.PATH ?? ""].join(delimiter),
  // Ansible refuses any other encoding
  LC_ALL: "C.UTF-8",
  TMPDIR: folder,
  ANSIBLE_HOME: join(folder, "ansible"),
  ANSIBLE_REMOTE_TEMP: join(folder, "ansible", "remote"),
  ANSIBLE_NOCOLOR: "1",
  SITE_API: site.url,
  SITE_CA: site.certificate,
  SITE_TOKEN: site.playbookToken,
  SITE_FOLDER: folder
})

const ready = (rulebook: Process, port: number): Effect.Effect<void> =>
  listens(port).pipe(
    Effect.retry({ schedule: Schedule.spaced("100 millis"), times: 1800, while: () => !rulebook.hasEnded() }),
    Effect.mapError((cause) => new RulebookError({ message: `${cause.message}; it said:\n${rulebook.said()}`, cause })),
    Effect.orDie
  )

/** Starts the rulebook on this port, and waits until it listens. */
export const make = (site: Site, port: number): Effect.Effect<Rulebook, never, Scope.Scope> =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const variables = join(folder, "variables.json")
    writeFileSync(variables, JSON.stringify({ port, token: TOKEN }))
    const rulebook = yield* start({
      command: join(home, "bin", "ansible-rulebook"),
      parameters: [
        ...["--rulebook", join(files, "rulebook.yml"), "--inventory", join(files, "inventory.yml")],
        ...["--vars", variables, "--execution-strategy", "parallel", "--shutdown-delay", "10", "--verbose"]
      ],
      env: environment(site, folder),
      cwd: files,
      log: join(folder, "log")
    })
    yield* ready(rulebook, port)
    const noted = (name: string) => linesIn(join(folder, "runs")).filter((line) => line.name === name)
    return {
      url: `http://127.0.0.1:${port}`,
      requests: () => requestsIn(rulebook.said()),
      noted,
      until: (name, count) =>
        Effect.sync(() => noted(name).length).pipe(
          Effect.repeat({ schedule: Schedule.spaced("20 millis"), until: (n) => n >= count }),
          Effect.timeoutOrElse({
            duration: PATIENCE,
            orElse: () => Effect.die(new Error(`no ${count} lines about ${name}; it said:\n${rulebook.said()}`))
          }),
          Effect.asVoid
        ),
      finish: (operation, name) => Effect.sync(() => writeFileSync(join(folder, `finish-${operation}-${name}`), "")),
      said: rulebook.said
    }
  })
