const major = Number(process.versions.node.split(".")[0])
if (major < 24) {
  console.error(`need Node >= 24, got ${process.version}: use npm scripts, or PATH=$PWD/node_modules/.bin:$PATH`)
  process.exit(1)
}
console.log("node", process.version)
