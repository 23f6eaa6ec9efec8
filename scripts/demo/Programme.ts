/** What a demo consists of: which operators there are, and what is told of them. */
import { DEPROVISION_PATH, PROVISION_PATH } from "../../test/support/SimulatedEda.ts"
import { edaStories } from "./edaStories.ts"
import { edaSite, fromAapSite, fromEdaSite, jobSite, type Site, workflowSite } from "./Site.ts"
import type { Story } from "./Story.ts"
import { stories } from "./stories.ts"
import { switchStories } from "./switchStories.ts"

export interface Programme {
  /** Who runs playbooks. */
  readonly by: string
  readonly sites: ReadonlyArray<Site>
  readonly stories: ReadonlyArray<Story>
}

export const aapProgramme: Programme = { by: "AAP", sites: [jobSite, workflowSite], stories }
export const edaProgramme: Programme = { by: "EDA", sites: [edaSite], stories: edaStories }
export const switchProgramme: Programme = {
  by: "playbooks",
  sites: [fromEdaSite, fromAapSite],
  stories: switchStories
}

const isWebhook = (job: string): boolean =>
  [PROVISION_PATH, DEPROVISION_PATH].some((path) => job.startsWith(`${path} `))

/** How often AAP and EDA are to be called by all stories together. */
export const callsOf = ({ stories: all }: Programme): { readonly launches: number; readonly webhooks: number } => {
  const jobs = all.flatMap(({ expected }) => expected.jobs)
  const webhooks = jobs.filter(isWebhook).length
  return { launches: jobs.length - webhooks, webhooks }
}
