/** As much of curl as the design document uses: a request, and the body of its answer on standard output. */
const [, , ...given] = process.argv

const request = { url: "", method: "GET", body: "", headers: new Headers({ accept: "*/*", "user-agent": "curl" }) }

const take: Readonly<Record<string, (value: string) => void>> = {
  "-X": (method) => {
    request.method = method
  },
  "-H": (header) => {
    const [name = "", ...value] = header.split(":")
    request.headers.set(name, value.join(":").trim())
  },
  "-d": (body) => {
    request.body = body
    if (request.method === "GET") request.method = "POST"
  },
  "-u": (user) => request.headers.set("authorization", `Basic ${Buffer.from(user).toString("base64")}`)
}

for (let index = 0; index < given.length; index++) {
  const word = given[index] ?? ""
  const option = take[word]
  if (option !== undefined) option(given[++index] ?? "")
  else if (word.startsWith("-")) throw new Error(`this curl does not know ${word}`)
  else request.url = word
}

const { body, headers, method, url } = request
const answer = await fetch(url, { method, headers, redirect: "manual", ...(body === "" ? {} : { body }) })
process.stdout.write(await answer.text())
