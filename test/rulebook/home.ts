/** The virtual environment with ansible-rulebook, from `ANSIBLE_RULEBOOK_HOME`; and what to say where there is none. */
import { existsSync } from "node:fs"
import { join } from "node:path"

export const home = process.env.ANSIBLE_RULEBOOK_HOME ?? ""

export const isPresent =
  home !== "" && ["ansible-rulebook", "ansible-playbook"].every((program) => existsSync(join(home, "bin", program)))

/** Says in one line what is left out, and how to have it. */
export const leftOut = (what: string): string => {
  const line = `Left out: ${what}; set ANSIBLE_RULEBOOK_HOME to a Python environment after \`pip install -r test/rulebook/requirements.txt\`; it needs Java 17.`
  process.stdout.write(`${line}\n`)
  return line
}
