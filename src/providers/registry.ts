/** The providers there are, and nothing else. A new one is a folder and a line in here. */
import * as Aap from "./aap/AapProvider.ts"

export const providers = { aap: Aap.layer }
