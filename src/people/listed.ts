// What the page of a person and the page of an administrator have in common.
import type { ToolFacts } from '../pdp/evaluation.ts'
import type { ConsentRow } from './consents.ts'
import { sealed, type Sealed } from './form.ts'
import type { Standing } from './pages/consent-card.ts'
import type { ListedConsent } from './pages/consents-page.ts'
import type { Site } from './site.ts'

export const titleOf = ({ name, server }: Site): string => server.title || name

/** Rows as a page lists them, each with a form to withdraw it where it has not ended. */
export function listedConsents(
  { server, people }: Site,
  rows: readonly ConsentRow[],
  secret: string,
  formOf: (consent: string) => Sealed,
): Promise<ListedConsent[]> {
  const now = people.now()
  const toolOf = (tool: string): ToolFacts | null => server.tools.find(tool, null)
  return Promise.all(
    rows.map((row) =>
      listedConsent(row, standingOf(row, toolOf, now), secret, formOf(row.id), now),
    ),
  )
}

async function listedConsent(
  row: ConsentRow,
  standing: Standing,
  secret: string,
  form: Sealed,
  now: number,
): Promise<ListedConsent> {
  const holds = standing === 'holds' || standing === 'outdated'
  return { row, standing, seal: holds ? await sealed(secret, form, now) : null }
}

/** As door two sees it (src/pdp/consent.ts). */
function standingOf(
  { tool, definitionHash, expiresAt, revokedAt }: ConsentRow,
  toolOf: (tool: string) => ToolFacts | null,
  now: number,
): Standing {
  if (revokedAt !== null) return 'withdrawn'
  if (expiresAt !== null && expiresAt <= now) return 'expired'
  const pin = tool === null ? null : (toolOf(tool)?.pin?.hash ?? null)
  return definitionHash === null || definitionHash === pin ? 'holds' : 'outdated'
}

export const withdrawForm = (server: string, consent: string): Sealed => ({
  action: 'withdraw',
  server,
  values: [consent],
})
