/** The shell commands of the product's own pages, by the heading they stand under. */
import { readFileSync } from "node:fs"
import { commandsIn } from "./Blocks.ts"

/** All that is under one heading of a page. */
export interface Section {
  readonly page: string
  readonly heading: string
  readonly commands: ReadonlyArray<string>
}

const fence = /```bash\n([\s\S]*?)```/gu

const sectionsOf = (page: string): ReadonlyArray<Section> =>
  readFileSync(page, "utf8")
    .split(/^## /mu)
    .slice(1)
    .map((text) => ({
      page,
      heading: text.split("\n")[0] ?? "",
      commands: [...text.matchAll(fence)].flatMap(([, script = ""]) => commandsIn(script))
    }))
    .filter(({ commands }) => commands.length > 0)

/** Every section with commands in it. */
export const sections: ReadonlyArray<Section> = ["docs/troubleshooting.md", "docs/migration.md"].flatMap(sectionsOf)

export const sectionOf = (page: string, heading: string): Section => {
  const found = sections.find((one) => one.page === page && one.heading === heading)
  if (found === undefined) throw new Error(`${page} has no commands under "${heading}"`)
  return found
}
