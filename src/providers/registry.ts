/** The providers there are, the default first. A new one is a folder and a line in here. */
import { aap } from "./aap/module.ts"
import { eda } from "./eda/module.ts"
import type { ProviderModule } from "./Module.ts"

export const registry: readonly [ProviderModule, ...ReadonlyArray<ProviderModule>] = [eda, aap]
