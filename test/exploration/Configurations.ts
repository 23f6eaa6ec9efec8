/**
 * What is explored: how the two processes are set up, and how often each thing may happen.
 */
import { INTENT_ANNOTATION, keyOf, print } from "../../src/domain/Intent.ts"
import { KEY, type Profile, QUIET } from "./Run.ts"
import type { Allowance, Beginning, Job, Left } from "./State.ts"
import { BASE, newborn, recordedBefore, withAnnotations } from "./Versions.ts"

export interface Configuration {
  readonly name: string
  readonly profiles: readonly [Profile, Profile]
  readonly left: Left
  /** What there is before anything happens. */
  readonly begins: () => Beginning
  /** Every state of it is reached in a second or two. */
  readonly small: boolean
  /** A launch may be on its way for longer than a quiet period, which nobody can promise to survive unharmed. */
  readonly beyond: boolean
  /** It is held to the invariants that need the bound all the same: to see that the exploration finds what breaks them. */
  readonly strict?: true
}

const nothing: Left = {
  faults: 0,
  crashes: 0,
  edits: 0,
  deletes: 0,
  retries: 0,
  ticks: 0,
  failures: 0,
  cancels: 0,
  purges: 0,
  wipes: 0,
  losses: 0,
  strips: 0,
  overlaps: 0,
  lapses: 0,
  shares: 0,
  deafs: 0,
  unusables: 0,
  adopts: 0
}

const aap: Profile = { providers: ["aap"], ahead: 0 }
const hasty: Profile = { providers: ["aap"], ahead: QUIET }
const eda: Profile = { providers: ["eda"], ahead: 0 }
const aapBeforeEda: Profile = { providers: ["aap", "eda"], ahead: 0 }
const edaBeforeAap: Profile = { providers: ["eda", "aap"], ahead: 0 }

type Bounds = Partial<Record<Allowance, number>>

const of = (name: string, left: Bounds, profiles: Configuration["profiles"] = [aap, aap]): Configuration => ({
  name,
  profiles,
  left: { ...nothing, ...left },
  begins: () => ({ stored: newborn(), jobs: [] }),
  small: true,
  beyond: false
})

const large = (name: string, left: Bounds, profiles?: Configuration["profiles"]): Configuration => ({
  ...of(name, left, profiles),
  small: false
})

/** Three provisions by an operator that did not launch exactly once: two are recorded and alive, the third is not recorded. */
const inherited = (): Beginning => {
  const version = newborn().instance.desiredVersion
  const jobs = [1, 2, 3].map((attempt): Job => {
    const over = attempt === 3
    return {
      provider: "aap",
      id: String(attempt),
      key: `u/provision/${version}/${attempt}`,
      operation: "provision",
      created: 0,
      finished: over ? 0 : undefined,
      state: over ? "successful" : "alive",
      cancelling: false,
      deaf: 0,
      runsOn: false,
      unusable: false,
      purged: false,
      // nobody promises to know the third before a person names it
      recorded: true
    }
  })
  const record = jobs
    .filter(({ state }) => state === "alive")
    .map(({ id, key }, index) => ({
      jobID: id,
      type: "provision",
      provider: "aap",
      state: "Running",
      message: "Job running",
      configVersion: version,
      launchKey: key,
      attempt: index + 1
    }))
  return { stored: recordedBefore(record), jobs }
}

/** An object with a launch in doubt that was first sent at `since`. */
const inDoubt = ({ jobs, stored }: Beginning, attempt: number, since: number): Beginning => {
  const { desiredVersion } = stored.instance
  const intent = print({
    key: keyOf("u", "provision", desiredVersion, attempt),
    object: KEY,
    operation: "provision",
    attempt,
    provider: "aap",
    template: "provision",
    configVersion: desiredVersion,
    stamp: new Date(BASE).toISOString(),
    since: new Date(BASE + since).toISOString()
  })
  return { stored: withAnnotations(stored, { [INTENT_ANNOTATION]: intent }), jobs }
}

/** A person put jobs that run into the record while a launch was in doubt of which nothing came. */
const corrected = (): Beginning => {
  const { jobs, stored } = inherited()
  return inDoubt({ stored, jobs: jobs.slice(0, 2) }, 4, 0)
}

/** A launch was renewed again and again, while AAP dropped the job that had come of it after all. */
const renewedForLong = (): Beginning => {
  const jobs = inherited()
    .jobs.slice(2)
    .map((job) => ({ ...job, id: "1", purged: true }))
  return inDoubt({ stored: recordedBefore([]), jobs }, 3, -10 * QUIET)
}

export const configurations: ReadonlyArray<Configuration> = [
  of("alone", {}),
  of("failed", { failures: 1, deletes: 1 }),
  of("retried", { failures: 2, retries: 1 }),
  of("canceled", { cancels: 1, edits: 1 }),
  of("status lost", { crashes: 1, losses: 1 }),
  of("intent wiped", { crashes: 1, wipes: 1 }),
  of("crashed and edited", { crashes: 1, edits: 1 }),
  of("faulty and edited", { faults: 1, edits: 1 }),
  of("crashed and retried", { crashes: 1, failures: 1, retries: 1 }),
  of("switched", { deletes: 1 }, [aapBeforeEda, edaBeforeAap]),
  of("renewed", { crashes: 1, ticks: 2 }),
  of("late", { faults: 1, ticks: 2 }),
  of("lease lost", { lapses: 1, faults: 1, ticks: 1 }),
  of("crashed", { crashes: 1, deletes: 1 }),
  of("faulty", { faults: 1, deletes: 1 }),
  of("clocks differ", { faults: 1, crashes: 1 }, [aap, hasty]),
  of("two leaders", { overlaps: 1, deletes: 1 }),
  of("purged and deleted", { purges: 1, deletes: 1, failures: 1 }),
  of("edits", { edits: 2 }),
  of("EDA crashed", { crashes: 1, deletes: 1 }, [eda, eda]),
  of("EDA deleted", { deletes: 1, ticks: 1 }, [eda, eda]),
  of("EDA", { faults: 1, edits: 1 }, [eda, eda]),
  of("purged", { ticks: 3, purges: 1 }),
  of("searched slowly", { crashes: 1, faults: 1, ticks: 1 }),
  of("searched by others", { crashes: 1, shares: 1, ticks: 1 }),
  of("does not hear", { deafs: 1, deletes: 1 }),
  of("ignored variables", { unusables: 1, deletes: 1 }),
  { ...of("inherited", { adopts: 1 }), begins: inherited },
  { ...of("renewed for long", { ticks: 1, deletes: 1 }), begins: renewedForLong },
  { ...large("record corrected", { ticks: 1 }), begins: corrected },
  { ...large("answered beyond the bound", { faults: 1, ticks: 1, overlaps: 2 }), beyond: true },
  { ...large("late beyond the bound", { faults: 1, ticks: 1, deletes: 1 }), beyond: true },
  large("many edits", { edits: 3 }),
  large("refused late", { faults: 1, ticks: 1, overlaps: 2 }),
  { ...large("beyond the bound", { faults: 1, ticks: 1, overlaps: 1 }), beyond: true },
  large("torn down in the third attempt", { failures: 2, deletes: 1, retries: 2 }),
  large("torn down again", { failures: 1, deletes: 1, retries: 1, cancels: 1 }),
  large("too old", { crashes: 1, ticks: 4, purges: 1 }),
  large("too old and deleted", { crashes: 1, ticks: 3, purges: 1, deletes: 1 }),
  large("finalizer taken off", { faults: 1, strips: 1, deletes: 1 }),
  large("status lost and deleted", { crashes: 1, losses: 1, deletes: 1, ticks: 1 }),
  large("intent wiped and deleted", { crashes: 1, wipes: 1, deletes: 1 }),
  large("back and forth", { faults: 1, edits: 2, deletes: 1 }),
  large("two leaders and a crash", { overlaps: 1, crashes: 1, deletes: 1, edits: 1 }),
  large("two leaders and late", { overlaps: 1, faults: 1, deletes: 1, ticks: 1 }),
  large("outage", { faults: 2, deletes: 1 }),
  large("crashed twice", { crashes: 2, deletes: 1, ticks: 1 }),
  large("crashed and faulty", { crashes: 1, faults: 1, deletes: 1, ticks: 1 }),
  large("EDA crashed and faulty", { crashes: 1, faults: 1, deletes: 1, ticks: 1 }, [eda, eda]),
  large("switched and faulty", { faults: 1, deletes: 1, edits: 1 }, [aapBeforeEda, edaBeforeAap]),
  large("everything", {
    faults: 2,
    crashes: 2,
    overlaps: 2,
    edits: 2,
    deletes: 1,
    retries: 1,
    ticks: 3,
    failures: 1,
    cancels: 1,
    purges: 1,
    lapses: 1
  })
]
