/** What was asked for on the command line. An option nobody knows is an answer too, in words. */

export const help = `Shows the operator at work: npm run demo [-- OPTIONS]

Starts a simulated Kubernetes API server and a simulated Ansible Automation Platform on free ports of this machine, the
real operator between them, and orders a few machines. Ends by itself in under a minute, with a table of what was shown.

  --keep    stay afterwards, and say what to try with kubectl; Ctrl-C ends it
  --help    this text

Exit code 0: everything came out as it should. 1: something did not, and the table says what. 2: unknown option.
DEMO_OPERATOR may hold another command that starts the operator, such as "node dist/main.mjs".
`

export type Arguments =
  | { readonly _tag: "Run"; readonly keep: boolean }
  | { readonly _tag: "Help" }
  | { readonly _tag: "Wrong"; readonly message: string }

export const parseArguments = (given: ReadonlyArray<string>): Arguments => {
  const unknown = given.filter((one) => !["--keep", "--help", "-h"].includes(one))
  if (unknown.length > 0) {
    const message = `Unknown: ${unknown.join(" ")}. The options are --keep and --help; npm needs "--" before them: npm run demo -- --keep`
    return { _tag: "Wrong", message }
  }
  return given.some((one) => one === "--help" || one === "-h")
    ? { _tag: "Help" }
    : { _tag: "Run", keep: given.includes("--keep") }
}
