// Pure. The words that rows use.

/**
 * What a call carries to its server. A new one does not compile until it has a row in `carry.ts` (a
 * call's own), `ending.ts` (Sallyport's last word) and `credentials.ts` (its own questions), all of them in
 * src/upstream/credentials.
 */
export const CREDENTIAL_KINDS = ['none', 'signed', 'exchange', 'secret'] as const
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number]

/** How a token is got in exchange: RFC 8693 alone, or an assertion for another issuer (ID-JAG). */
export const EXCHANGE_GRANTS = ['token-exchange', 'id-jag'] as const
export type ExchangeGrant = (typeof EXCHANGE_GRANTS)[number]

/** What can become of a token that an issuer gave (migrations/decisions/0002_create_credential_events.sql). */
export const CREDENTIAL_EVENTS = [
  'issued',
  'refused',
  'ended',
  'failed',
  'revoked',
  'lapsed',
] as const
export type CredentialEvent = (typeof CREDENTIAL_EVENTS)[number]

/** What can become of a server's own task whose ground is gone (migrations/decisions/0003_create_server_task_events.sql). */
export const SERVER_TASK_EVENTS = ['ended', 'failed', 'cancelled', 'over', 'lapsed'] as const
export type ServerTaskEvent = (typeof SERVER_TASK_EVENTS)[number]
