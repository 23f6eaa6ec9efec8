/** What was asked for on the command line. An option nobody knows is an answer too, in words. */
import { aapProgramme, edaProgramme, type Programme, switchProgramme } from "./Programme.ts"

export const help = `Shows the operator at work: npm run demo [-- OPTIONS]

Starts a simulated Kubernetes API server, a simulated Ansible Automation Platform and a simulated Event-Driven Ansible on
free ports of this machine, the real operator between them, and orders a few machines. Ends by itself in under a minute,
with a table of what was shown.

  --provider aap   through Ansible Automation Platform (the default)
  --provider eda   through webhooks of Event-Driven Ansible
  --switch         operators that are restarted with the other provider, in both directions
  --keep           stay afterwards, and say what to try with kubectl; Ctrl-C ends it
  --help           this text

Exit code 0: everything came out as it should. 1: something did not, and the table says what. 2: unknown option.
DEMO_OPERATOR may hold another command that starts the operator, such as "node dist/main.mjs".
DEMO_PATIENCE says how many times longer it may take before the demo gives up, on a machine that is busy.
`

export type Arguments =
  | { readonly _tag: "Run"; readonly programme: Programme; readonly keep: boolean }
  | { readonly _tag: "Help" }
  | { readonly _tag: "Wrong"; readonly message: string }

const providers: Readonly<Record<string, Programme>> = { aap: aapProgramme, eda: edaProgramme }

const wrong = (what: string): Arguments => ({
  _tag: "Wrong",
  message: `${what}. The options are --provider aap, --provider eda, --switch, --keep and --help; npm needs "--" before them: npm run demo -- --keep`
})

export const parseArguments = (given: ReadonlyArray<string>): Arguments => {
  const words = given.flatMap((one) => (one.startsWith("--provider=") ? one.split("=", 2) : [one]))
  let keep = false
  const chosen: Array<Programme> = []
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === "--help" || word === "-h") return { _tag: "Help" }
    if (word === "--keep") keep = true
    else if (word === "--switch") chosen.push(switchProgramme)
    else if (word === "--provider") {
      const name = words.shift()
      const programme = providers[name ?? ""]
      if (programme === undefined)
        return wrong(name === undefined ? "--provider needs a name" : `No such provider: ${name}`)
      chosen.push(programme)
    } else return wrong(`Unknown: ${word}`)
  }
  const [programme = aapProgramme, ...others] = chosen
  return others.length > 0 ? wrong("One demo at a time") : { _tag: "Run", programme, keep }
}
