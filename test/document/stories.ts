/** Everything of the design document that is told as a test. */

import type { Story } from "./Story.ts"
import { provisioning } from "./stories/provisioning.ts"

export const stories: ReadonlyArray<Story> = [...provisioning]
