// Pure. Where the pages are. Every address that a page or a refusal names is made here.

/** What a person is asked to allow: one client, and one tool or one class of access. */
export interface Wanted {
  readonly client: string
  readonly tool: string | null
  readonly access: string | null
}

const withQuery = (path: string, members: Readonly<Record<string, string | null>>): string => {
  const said = Object.entries(members).filter((member): member is [string, string] => {
    return member[1] !== null
  })
  return said.length === 0 ? path : `${path}?${new URLSearchParams(said).toString()}`
}

/** The list of a person's consents; with `wanted`, the question whether to give that one. */
export function consentPath(
  server: string,
  wanted: Pick<Wanted, 'client' | 'tool'> | null = null,
): string {
  const path = `/consents/${server}`
  return wanted === null ? path : withQuery(path, { client: wanted.client, tool: wanted.tool })
}

export const wantedPath = (server: string, { client, tool, access }: Wanted): string =>
  withQuery(`/consents/${server}`, { client, tool, access: tool === null ? access : null })

export const grantPath = (server: string): string => `/consents/${server}/grant`
export const withdrawPath = (server: string): string => `/consents/${server}/withdraw`
export const logoutPath = (server: string): string => `/consents/${server}/logout`
/** From the latest, or what comes after this one. */
export const allPath = (
  server: string,
  last: { readonly grantedAt: number; readonly id: string } | null = null,
): string =>
  withQuery(`/consents/${server}/all`, {
    before: last === null ? null : String(last.grantedAt),
    id: last?.id ?? null,
  })

export const withdrawAnyPath = (server: string): string => `/consents/${server}/all/withdraw`

/** What an address of the console asks to revoke; nothing is done by it. */
export interface ToRevoke {
  readonly kind: string
  readonly id: string
  readonly issuer: string
}

export const revocationsPath = (server: string, wanted: ToRevoke | null = null): string =>
  withQuery(`/console/${server}/revocations`, wanted === null ? {} : { ...wanted })

export const olderRevocationsPath = (
  server: string,
  last: { readonly revokedAt: number; readonly place: number },
): string =>
  withQuery(revocationsPath(server), { before: String(last.revokedAt), place: String(last.place) })

export const revokePath = (server: string): string => `/console/${server}/revocations/revoke`
export const liftPath = (server: string): string => `/console/${server}/revocations/lift`
/** From the latest, or what was before this entry. */
export const revocationHistoryPath = (server: string, before: number | null = null): string =>
  withQuery(`/console/${server}/revocations/history`, {
    before: before === null ? null : String(before),
  })

/** With several issuers the person says which. */
export const loginPath = (server: string, issuer: string, wanted: Wanted | null): string =>
  withQuery(`/consents/${server}/login`, {
    issuer,
    client: wanted?.client ?? null,
    tool: wanted?.tool ?? null,
    access: wanted?.access ?? null,
  })

/** Registered at issuers, so it is one for all servers. */
export const CALLBACK_PATH = '/login/callback'

/** A dot is in no server's name, so this is no server's page. */
export const STYLESHEET_PATH = '/consents/style.css'
