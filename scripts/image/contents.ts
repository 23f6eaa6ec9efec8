/**
 * The image's contents in a folder, made from the Containerfile itself: where there is no container engine, this is what can
 * be tried.
 *
 * The stages that build are followed, `COPY` and `RUN`, in folders of their own, with two exceptions. The dependencies are not
 * installed again: the `node_modules` of the checkout are used, which the same lock file made. And the base image is not
 * here: what is copied from it is left out, and whoever starts the operator from the folder puts a system in its place.
 */
import { execFileSync } from "node:child_process"
import { chmodSync, cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { arch, tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import {
  type Copy,
  commandsIn,
  copiesIn,
  finalStage,
  type Stage,
  type Start,
  stagesIn,
  startOf
} from "./Containerfile.ts"

/** What a folder of the image's contents is started with. */
export interface Image extends Start {
  /** Every file that was copied into the image, but those of the base. */
  readonly files: ReadonlyArray<string>
}

const BASE = "base"
const INSTALLS = /^npm ci /u

interface Build {
  readonly checkout: string
  /** Where each stage's root is. */
  readonly roots: ReadonlyMap<string, string>
}

const workdirOf = (stage: Stage, stages: ReadonlyArray<Stage>): string => {
  const own = stage.instructions.find(({ keyword }) => keyword === "WORKDIR")?.text
  const parent = stages.find(({ name }) => name === stage.from)
  return own ?? (parent === undefined ? "/" : workdirOf(parent, stages))
}

/** A pattern stands for the files of one folder, as in a Containerfile; anything else for itself. */
const matching = (path: string): ReadonlyArray<string> => (path.includes("*") ? globSync(path).toSorted() : [path])

/** Into a folder if the target ends with a slash, else under the target's name. */
const copy = (
  build: Build,
  { from, mode, sources, target }: Copy,
  root: string,
  workdir: string
): ReadonlyArray<string> =>
  sources
    .flatMap((source) => matching(join(from === undefined ? build.checkout : (build.roots.get(from) ?? from), source)))
    .map((path) => {
      const named = target.endsWith("/") ? join(target, basename(path)) : target
      const placed = target.startsWith("/") ? named : join(workdir, named)
      mkdirSync(dirname(join(root, placed)), { recursive: true })
      cpSync(path, join(root, placed), { recursive: true })
      if (mode !== undefined) chmodSync(join(root, placed), mode)
      return placed
    })

/** The Node that the lock file pins, for this machine. */
const placeNode = (checkout: string, folder: string): void => {
  mkdirSync(folder, { recursive: true })
  cpSync(join(checkout, `node_modules/node-linux-${arch()}/bin/node`), join(folder, "node"))
}

/** A stage that builds, in a root of its own. One that continues another has the other's files. */
const follow = (build: Build, stage: Stage, stages: ReadonlyArray<Stage>, root: string): void => {
  const workdir = workdirOf(stage, stages)
  const here = join(root, workdir)
  mkdirSync(here, { recursive: true })
  const parent = build.roots.get(stage.from)
  if (parent !== undefined) cpSync(parent, root, { recursive: true, verbatimSymlinks: true })
  for (const one of copiesIn(stage)) copy(build, one, root, workdir)
  for (const command of commandsIn(stage)) {
    if (command.includes("node_modules/node-linux-")) placeNode(build.checkout, here)
    else if (INSTALLS.test(command)) symlinkSync(join(build.checkout, "node_modules"), join(here, "node_modules"))
    else execFileSync("sh", ["-c", command], { cwd: here, stdio: ["ignore", "ignore", "pipe"] })
  }
}

const assemble = (build: Build, stage: Stage, target: string): ReadonlyArray<string> =>
  copiesIn(stage)
    .filter(({ from }) => from !== BASE)
    .flatMap((one) => copy(build, one, target, "/"))

/** Fills the folder, which is emptied first. */
export const imageContents = (checkout: string, target: string): Image => {
  const stages = stagesIn(readFileSync(join(checkout, "k8s/Containerfile"), "utf8"))
  const scratch = mkdtempSync(join(tmpdir(), "cloudkit-image-"))
  try {
    const roots = new Map<string, string>()
    for (const stage of stages.filter(({ name }) => name !== "" && name !== BASE)) {
      const root = join(scratch, stage.name)
      follow({ checkout, roots }, stage, stages, root)
      roots.set(stage.name, root)
    }
    rmSync(target, { recursive: true, force: true })
    const files = assemble({ checkout, roots }, finalStage(stages), target)
    return { ...startOf(finalStage(stages)), files }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
