/** The operator dies at every request it makes while other things happen. `CRASH_PAIRS=all` plays every pair. */
import { dying } from "./crashes.ts"
import { scriptsOfFate } from "./crashScripts.ts"

dying(scriptsOfFate)
