/** What a provider asks of the HTTP client that it is given. */

export interface Outbound {
  /** URL of the server; decides whether a proxy leads there. */
  readonly server: string
  /** PEM certificates that are trusted besides those the platform trusts. */
  readonly authorities: ReadonlyArray<string>
  /** Whether a certificate nobody vouches for is refused. Off only when somebody asked for it in so many words. */
  readonly verify: boolean
  /** How many connections may be open at once. */
  readonly connections: number
}
