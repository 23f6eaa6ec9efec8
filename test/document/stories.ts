/** Everything of the design document that is told as a test. */
import type { Story } from "./Story.ts"
import { pages } from "./stories/pages.ts"
import { provisioning } from "./stories/provisioning.ts"
import { recovery } from "./stories/recovery.ts"
import { signalling } from "./stories/signalling.ts"

export const stories: ReadonlyArray<Story> = [...provisioning, ...signalling, ...recovery, ...pages]
