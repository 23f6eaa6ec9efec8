/** The operator dies at every request it makes while people create, change and delete. `CRASH_PAIRS=all` plays every pair. */
import { dying } from "./crashes.ts"
import { scriptsOfPeople } from "./crashScripts.ts"

dying(scriptsOfPeople)
