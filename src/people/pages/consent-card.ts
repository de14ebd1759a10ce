import { html } from 'hono/html'
import type { Access } from '../../pdp/evaluation.ts'
import type { ConsentRow } from '../consents.ts'
import { ACCESS_WORDS, timeWords } from '../words.ts'
import type { Seal } from '../form.ts'
import { shown } from '../shown.ts'
import { code, name, type Html } from './layout.ts'

/** What became of a consent, as people see it. */
export type Standing = 'holds' | 'outdated' | 'expired' | 'withdrawn'

export const time = (at: number): Html =>
  html`<time datetime="${new Date(at).toISOString()}">${timeWords(at)}</time>`

export const what = (tool: string | null, access: Access | null): Html =>
  tool !== null
    ? html`the tool ${code(tool)}${access === null ? '' : html` to ${ACCESS_WORDS[access]}`}`
    : access === null
      ? html`nothing`
      : html`any tool, to ${ACCESS_WORDS[access]}`

/** The name is what the client says of itself, so the id comes first and never goes without. */
export const clientOf = ({ client, clientName }: ConsentRow): Html =>
  clientName === null || clientName === ''
    ? code(client)
    : html`${code(client)} <span class="soft">calls itself “${name(clientName)}”</span>`

export const hiddenFields = (fields: Readonly<Record<string, string>>): Html[] =>
  Object.entries(fields).map(
    ([field, value]) => html`<input type="hidden" name="${field}" value="${value}" />`,
  )

export interface CardOptions {
  readonly standing: Standing
  /** An administrator is told whose it is. */
  readonly showPerson: boolean
  /** null: there is nothing to withdraw. */
  readonly withdraw: { readonly action: string; readonly seal: Seal } | null
}

const ENDS: Readonly<Record<Standing, string>> = {
  holds: 'Until',
  outdated: 'Until',
  expired: 'Ended',
  withdrawn: 'Withdrawn',
}

export function consentCard(row: ConsentRow, options: CardOptions): Html {
  const { standing, showPerson, withdraw } = options
  const by =
    row.revokedBy !== null && row.revokedBy !== 'person' ? html` by ${name(row.revokedBy)}` : ''
  const until =
    standing === 'withdrawn' && row.revokedAt !== null
      ? html`${time(row.revokedAt)}${by}`
      : row.expiresAt === null
        ? 'it is withdrawn'
        : time(row.expiresAt)
  const person = showPerson
    ? html`<dt>Person</dt>
        <dd>${code(row.subject)}</dd>`
    : ''
  const purpose =
    row.purpose === ''
      ? ''
      : html`<dt>What for</dt>
          <dd>“${name(row.purpose, 400)}”</dd>`
  return html`<article class="card ${standing === 'holds' ? '' : 'ended'}">
    <h3>${clientOf(row)}</h3>
    <dl>
      ${person}
      <dt>May use</dt>
      <dd>${what(row.tool, row.access)}</dd>
      ${purpose}
      <dt>Allowed</dt>
      <dd>${time(row.grantedAt)}</dd>
      <dt>${ENDS[standing]}</dt>
      <dd>${until}</dd>
    </dl>
    ${
      standing === 'outdated'
        ? html`<p class="changed">
            The tool was changed after you agreed to it, so this no longer counts.
          </p>`
        : ''
    }
    ${withdraw === null ? '' : withdrawForm(row, withdraw.action, withdraw.seal)}
  </article>`
}

const withdrawForm = (row: ConsentRow, action: string, seal: Seal): Html =>
  html`<form method="post" action="${action}">
    ${hiddenFields({ ...seal, consent: row.id })}
    <button
      class="quiet small"
      aria-label="Withdraw: ${shown(row.client)}, ${shown(row.tool ?? row.access ?? '')}"
    >
      Withdraw
    </button>
  </form>`
