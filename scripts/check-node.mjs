/**
 * Says in words what is wrong when a script runs on a Node that cannot run this project. Plain JavaScript, because that
 * Node cannot read TypeScript either.
 */
const major = Number(process.versions.node.split(".")[0])
if (major < 24) {
  console.error(
    `This project needs Node 24 or newer, and this is ${process.version}.
"npm ci" brings Node 24 along for Linux on x64 and arm64, and npm scripts find it by themselves. If this is an npm script,
the optional dependency is missing: run "npm ci" without --omit=optional, or install Node 24 on other platforms.
Outside of npm scripts: export PATH="$PWD/node_modules/.bin:$PATH"`
  )
  process.exit(1)
}
