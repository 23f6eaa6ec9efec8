/** Assembles the image's contents in a folder, `dist/image` if none is named, and says what is in it. */
import { resolve } from "node:path"
import { imageContents } from "./image/contents.ts"

const target = resolve(process.argv[2] ?? "dist/image")
const { entrypoint, files, user } = imageContents(resolve("."), target)
for (const file of files) console.log(`${target}${file}`)
console.log(`to be started as ${user} with ${entrypoint.join(" ")}, with the base image's files around it`)
