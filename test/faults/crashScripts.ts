/** Lives of an operator without any fault, in each of which it is made to die at every single request. */
import type { Command, Configuration, Schedule } from "../support/schedules.ts"

const create: Command = { do: "create", vm: 0 }
const remove: Command = { do: "delete", vm: 0 }
const resize: Command = { do: "resize", vm: 0, vcpu: 2 }
const retry: Command = { do: "retry", vm: 0 }
const wait = (seconds: number): Command => ({ do: "wait", seconds })

const script = (
  commands: ReadonlyArray<Command>,
  plays: Schedule["plays"] = ["quick"],
  as: Configuration = "aap"
): Schedule => ({ as, plays, commands })

/** Creating, changing, deleting: what people do, at every state a job can be in. */
export const scriptsOfPeople: Readonly<Record<string, Schedule>> = {
  create: script([create, wait(35)]),
  "create and delete": script([create, wait(35), remove]),
  "delete before anything ran": script([create, remove]),
  "delete while the job is queued": script([create, wait(20), remove], ["queued", "quick"]),
  "delete while the job runs": script([create, wait(35), remove], ["long", "quick"]),
  "delete while the cancelled job clings to life": script([create, wait(35), remove], ["clings", "quick"]),
  "delete while the job ends by itself": script([create, wait(35), remove], ["races", "quick"]),
  "delete after the provision failed": script([create, wait(35), remove], ["fails", "quick"]),
  "deprovision fails, and is asked for again": script(
    [create, wait(35), remove, wait(65), retry],
    ["quick", "fails", "quick"]
  ),
  "spec change while the job is queued": script([create, wait(20), resize, wait(200)], ["queued", "quick"]),
  "spec change while the job runs": script([create, wait(35), resize, wait(300)], ["long", "quick"]),
  "spec change when ready": script([create, wait(35), resize, wait(35)]),
  "spec change after a failure": script([create, wait(35), resize, wait(35)], ["fails", "quick"]),
  "retry after a failure": script([create, wait(35), retry, wait(35)], ["fails", "quick"]),
  "a person cancels the job, and asks again": script(
    [create, wait(35), { do: "cancel", nth: 0 }, wait(35), retry, wait(35)],
    ["long", "quick"]
  )
}

/** What else happens: outages, purges, workflows, neighbours, other providers. */
export const scriptsOfFate: Readonly<Record<string, Schedule>> = {
  "AAP is away before the launch": script([
    { do: "aap", on: "lookUp", harm: "refused", times: 2 },
    create,
    wait(75),
    remove
  ]),
  "AAP is away while the job runs": script([
    create,
    wait(3),
    { do: "aap", on: "poll", harm: "gateway", times: 2 },
    wait(120),
    remove
  ]),
  "the answer of the launch is lost": script([
    { do: "aap", on: "launch", harm: "resetAfter", times: 1 },
    create,
    wait(75),
    remove
  ]),
  workflow: { ...script([create, wait(35), remove]), workflow: true },
  "workflow, deleted while it runs": { ...script([create, wait(35), remove], ["long", "quick"]), workflow: true },
  "purge of the job of a ready object": script([create, wait(35), { do: "purge", nth: 0 }, resize, wait(35), remove]),
  "purge of the deprovision": script([create, wait(35), remove, wait(13), { do: "purge", nth: 1 }, wait(60)]),
  "two objects": script([create, { do: "create", vm: 1 }, wait(35), remove, { do: "delete", vm: 1 }]),
  "a second operator beside the first": script([create, { do: "start" }, wait(35), remove]),
  EDA: script([create, wait(40), remove], ["quick"], "eda"),
  "EDA, deleted while the playbook runs": script([create, wait(10), remove], ["quick"], "eda"),
  "from AAP to EDA": script([create, wait(35), { do: "switch", to: "eda+aap" }, wait(5), remove]),
  "from EDA to AAP": script([create, wait(40), { do: "switch", to: "aap+eda" }, wait(5), remove], ["quick"], "eda")
}
