/**
 * The variables of the AAP provider. Nobody else reads them, so that choosing another provider never demands them.
 */
import { Effect, Option, Result } from "effect"
import { readable, tokenIn } from "../../settings/Files.ts"
import { address, duration, flag, text } from "../../settings/Kind.ts"
import type { SettingsError } from "../../settings/Problem.ts"
import { missing, optional, required, secret, together, withDefault } from "../../settings/Variable.ts"
import type { AapSettingsShape } from "./AapSettings.ts"

/** What the environment says of AAP. */
export interface AapEnvironment extends AapSettingsShape {
  /** Certificate authorities to trust besides the public ones; each file was readable. */
  readonly caFiles: ReadonlyArray<string>
  readonly insecureSkipVerify: boolean
}

/** How many requests to one AAP may be under way at most, however well it bears them. */
const MAX_CONCURRENT_REQUESTS = 64

const template = text("template name", "the name of a job template or workflow job template", 512)
const path = text("path", "the path of a readable file", 4_096)

export const aapVariables = {
  url: required(
    "AAP_URL",
    address(
      "the address of AAP, such as https://aap.example.com/api/controller, without user name, password and query",
      true
    ),
    { description: "Where AAP is: a host, its web address, or the address of its API." }
  ),
  token: secret(
    "AAP_TOKEN",
    text("token", "an OAuth2 token of AAP on one line", 4_096),
    "OAuth2 token of AAP. One of this and CLOUDKIT_AAP_TOKEN_FILE is required."
  ),
  tokenFile: optional("AAP_TOKEN_FILE", path, {
    description: "File that holds the token; re-read when it changes. Wins over CLOUDKIT_AAP_TOKEN."
  }),
  provisionTemplate: required("AAP_PROVISION_TEMPLATE", template, { description: "Template that provisions." }),
  deprovisionTemplate: required("AAP_DEPROVISION_TEMPLATE", template, { description: "Template that deprovisions." }),
  pollInterval: withDefault("AAP_STATUS_POLL_INTERVAL", duration("1s", "1h"), "30s", {
    description: "How often AAP is asked for the states of all live jobs, in one request."
  }),
  organization: optional("AAP_ORGANIZATION", text("organization", "the name of an organization in AAP", 512), {
    description: "Decides between templates of the same name in several organizations."
  }),
  caFile: optional("AAP_CA_FILE", path, {
    description: "PEM file of certificate authorities to trust besides the public ones."
  }),
  systemCaFile: optional("SSL_CERT_FILE", path, {
    description: "As CLOUDKIT_AAP_CA_FILE, under the name that many programs know; both are trusted."
  }),
  insecureSkipVerify: withDefault("AAP_INSECURE_SKIP_VERIFY", flag, "false", {
    description: "Whether any certificate is accepted. Anybody on the way can then read the token."
  }),
  requestTimeout: withDefault("AAP_REQUEST_TIMEOUT", duration("1s", "10m"), "30s", {
    description: "How long one request to AAP may take."
  })
}

/** The token that was given, or none if a file holds it; one of them there must be. */
const token = Effect.gen(function* () {
  const given = yield* aapVariables.token
  if (Option.isSome(given)) return given
  const file = yield* Effect.result(aapVariables.tokenFile)
  if (Result.isSuccess(file) && Option.isNone(file.success))
    return yield* Effect.fail(
      missing(aapVariables.token.declaration, ", here or in the file of CLOUDKIT_AAP_TOKEN_FILE")
    )
  return given
})

const readings = {
  ...aapVariables,
  token,
  tokenFile: tokenIn(aapVariables.tokenFile),
  caFile: readable(aapVariables.caFile),
  systemCaFile: readable(aapVariables.systemCaFile)
}

export const aapSettings: Effect.Effect<AapEnvironment, SettingsError> = Effect.map(
  together(Object.values(readings), Effect.all(readings)),
  (found) => ({
    url: found.url,
    token: Option.getOrElse(found.tokenFile, () =>
      // there is one of the two, or this would not have been reached
      Effect.fromOption(found.token).pipe(Effect.orDie)
    ),
    templates: { provision: found.provisionTemplate, deprovision: found.deprovisionTemplate },
    organization: found.organization,
    pollInterval: found.pollInterval,
    requestTimeout: found.requestTimeout,
    maxConcurrentRequests: MAX_CONCURRENT_REQUESTS,
    caFiles: [found.caFile, found.systemCaFile].flatMap(Option.toArray),
    insecureSkipVerify: found.insecureSkipVerify
  })
)

/** What a person should know although nothing is wrong. */
export const aapWarnings = (settings: AapEnvironment): ReadonlyArray<string> => [
  ...(settings.insecureSkipVerify
    ? [
        "CLOUDKIT_AAP_INSECURE_SKIP_VERIFY is true: AAP's certificate is NOT checked, and anybody on the way can read the token. Use CLOUDKIT_AAP_CA_FILE instead."
      ]
    : []),
  ...(settings.insecureSkipVerify && settings.caFiles.length > 0
    ? ["CLOUDKIT_AAP_CA_FILE has no effect while CLOUDKIT_AAP_INSECURE_SKIP_VERIFY is true."]
    : []),
  ...(/^http:/iu.test(settings.url)
    ? ["CLOUDKIT_AAP_URL begins with http: the token travels in clear text. Use https."]
    : [])
]
