import { html } from 'hono/html'
import { revocationsPath } from '../../../../page-addresses.ts'
import { time } from '../../../pages/consent-card.ts'
import { code, layout, name, type Html } from '../../../pages/layout.ts'
import type { HistoryEntry } from '../rows.ts'
import { details, heading, saidBy } from './revocation-card.ts'

export interface HistoryPage {
  readonly server: string
  readonly tenant: string
  readonly email: string
  readonly entries: readonly HistoryEntry[]
  readonly older: string | null
  readonly now: number
}

const WHAT: Readonly<Record<HistoryEntry['what'], string>> = {
  insert: 'Revoked',
  update: 'Changed',
  delete: 'Lifted',
}

/** Who revoked and lifted what, and when, also by SQL and by streams. */
export function historyPage({ server, tenant, email, entries, older, now }: HistoryPage): Html {
  return layout(
    `What was revoked and lifted in ${tenant}`,
    html`<p class="who">
        <span>You are <strong>${name(email)}</strong>, an administrator of ${code(tenant)}.</span>
        <span><a href="${revocationsPath(server)}">What is revoked now</a></span>
      </p>
      ${entries.length === 0 ? html`<p class="soft">There is nothing here.</p>` : ''}
      ${entries.map((entry) => card(entry, server, now))}
      ${older === null ? '' : html`<p><a href="${older}">Older ones</a></p>`}`,
  )
}

const card = (entry: HistoryEntry, server: string, now: number): Html =>
  html`<article class="card consent ${entry.what === 'delete' ? 'ended' : ''}">
    <h2 class="entry">${heading(entry)}</h2>
    <dl>
      <dt>${WHAT[entry.what]}</dt>
      <dd>${time(entry.at, now)} by ${by(entry)}</dd>
      ${details(entry, now)}
    </dl>
    ${
      entry.what === 'delete'
        ? html`<p>
            <a
              href="${revocationsPath(server, { kind: entry.kind, id: entry.id, issuer: entry.issuer })}"
              >Revoke it again</a
            >
          </p>`
        : ''
    }
  </article>`

/** A row of a stream that SQL deleted was not lifted by the stream. */
const by = (entry: HistoryEntry): Html =>
  entry.what === 'delete' && entry.by === '' ? html`SQL` : saidBy(entry, entry.by)
