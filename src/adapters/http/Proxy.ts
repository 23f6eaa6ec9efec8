/**
 * Which proxy leads to a server, by the rules Go programs and kubectl follow: loopback is always direct, and
 * `NO_PROXY` lists host names with their subdomains, addresses, networks and `*`, each with an optional port.
 */
import { BlockList, isIP } from "node:net"
import { Config, Effect, Option } from "effect"

export interface ProxySettings {
  readonly https: Option.Option<string>
  readonly http: Option.Option<string>
  readonly none: Option.Option<string>
}

const family = (address: string): "ipv4" | "ipv6" => (isIP(address) === 6 ? "ipv6" : "ipv4")

const inNetwork = (host: string, network: string): boolean => {
  const [address = "", prefix = ""] = network.split("/")
  const bits = Number(prefix)
  if (isIP(host) === 0 || isIP(address) === 0 || !/^\d+$/.test(prefix) || bits > (isIP(address) === 6 ? 128 : 32))
    return false
  const list = new BlockList()
  list.addSubnet(address, bits, family(address))
  return list.check(host, family(host))
}

const loopback = (host: string): boolean => host === "localhost" || host === "::1" || inNetwork(host, "127.0.0.0/8")

const matches = (entry: string, host: string, port: string): boolean => {
  if (entry === "*") return true
  if (entry.includes("/")) return inNetwork(host, entry)
  if (isIP(entry) !== 0) return entry === host
  const [, given = "", onPort] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(entry) ?? []
  if (onPort !== undefined && onPort !== port) return false
  const name = given.replace(/^\*(?=\.)/, "")
  if (name === "") return false
  return name.startsWith(".") ? host.endsWith(name) : host === name || (isIP(host) === 0 && host.endsWith(`.${name}`))
}

/** The URL of the proxy for this server, if it is not to be reached directly. */
export const proxyFor = (server: string, settings: ProxySettings): Option.Option<string> => {
  const url = new URL(server)
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1").toLowerCase()
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port
  const exceptions = Option.getOrElse(settings.none, () => "")
    .toLowerCase()
    .split(/[,\s]+/)
    .filter((entry) => entry !== "")
  if (loopback(host) || exceptions.some((entry) => matches(entry, host, port))) return Option.none()
  const chosen = url.protocol === "https:" ? settings.https : settings.http
  return Option.map(
    Option.filter(chosen, (proxy) => proxy !== ""),
    (proxy) => (proxy.includes("://") ? proxy : `http://${proxy}`)
  )
}

const environment = Config.all({
  httpsProxy: Config.option(Config.String("HTTPS_PROXY")),
  httpsProxyLower: Config.option(Config.String("https_proxy")),
  httpProxy: Config.option(Config.String("HTTP_PROXY")),
  httpProxyLower: Config.option(Config.String("http_proxy")),
  noProxy: Config.option(Config.String("NO_PROXY")),
  noProxyLower: Config.option(Config.String("no_proxy"))
})

/** The proxy that the environment names for this server. */
export const proxyFromEnvironment = (server: string): Effect.Effect<Option.Option<string>> =>
  environment.pipe(
    // variables that may be absent cannot be wrong
    Effect.orDie,
    Effect.map((env) =>
      proxyFor(server, {
        https: Option.orElse(env.httpsProxy, () => env.httpsProxyLower),
        http: Option.orElse(env.httpProxy, () => env.httpProxyLower),
        none: Option.orElse(env.noProxy, () => env.noProxyLower)
      })
    )
  )
