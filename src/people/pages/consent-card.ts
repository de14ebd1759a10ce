import { html } from 'hono/html'
import type { Access } from '../../pdp/evaluation.ts'
import type { ConsentRow } from '../consents.ts'
import { ACCESS_WORDS, distanceWords, isoTime, timeWords } from '../words.ts'
import type { Seal } from '../form.ts'
import { shown } from '../shown.ts'
import { id, name, type Html } from './layout.ts'

/** What became of a consent, as people see it. */
export type Standing = 'holds' | 'outdated' | 'expired' | 'withdrawn'

export function time(at: number, now: number): Html {
  const iso = isoTime(at)
  return iso === null
    ? html`${timeWords(at)}`
    : html`<time datetime="${iso}">${timeWords(at)}</time>
        <span class="soft">(${distanceWords(at, now)})</span>`
}

export const what = (tool: string | null, access: Access | null): Html =>
  tool !== null
    ? html`the tool ${id(tool)}${access === null ? '' : html` to ${ACCESS_WORDS[access]}`}`
    : access === null
      ? html`nothing`
      : html`any tool, to ${ACCESS_WORDS[access]}`

/** The name is what the client says of itself, so the id comes first and never goes without. */
export const clientOf = ({ client, clientName }: ConsentRow): Html =>
  clientName === null || clientName === ''
    ? id(client)
    : html`${id(client)} <span class="soft">calls itself “${name(clientName)}”</span>`

export const hiddenFields = (fields: Readonly<Record<string, string>>): Html[] =>
  Object.entries(fields).map(
    ([field, value]) => html`<input type="hidden" name="${field}" value="${value}" />`,
  )

export interface CardOptions {
  readonly standing: Standing
  readonly now: number
  /** An administrator is told whose it is. */
  readonly showPerson: boolean
  /** null: there is nothing to withdraw. */
  readonly withdraw: { readonly action: string; readonly seal: Seal } | null
  /** Where the person is asked about the same thing again; null: they are not. */
  readonly again: string | null
  /** Where an administrator can revoke who is named here. */
  readonly revoke?: readonly { readonly path: string; readonly words: string }[]
}

const ENDS: Readonly<Record<Standing, string>> = {
  holds: 'Until',
  outdated: 'Until',
  expired: 'Ended',
  withdrawn: 'Withdrawn',
}

const AGAIN: Readonly<Record<Standing, string>> = {
  holds: '',
  outdated: 'See what changed, and decide again',
  expired: 'Allow it again',
  withdrawn: 'Allow it again',
}

export function consentCard(row: ConsentRow, options: CardOptions): Html {
  const { standing, now, showPerson, withdraw, again } = options
  const by =
    row.revokedBy !== null && row.revokedBy !== 'person' ? html` by ${name(row.revokedBy)}` : ''
  const until =
    standing === 'withdrawn' && row.revokedAt !== null
      ? html`${time(row.revokedAt, now)}${by}`
      : row.expiresAt === null
        ? 'it is withdrawn'
        : time(row.expiresAt, now)
  const person = showPerson
    ? html`<dt>Person</dt>
        <dd>${id(row.subject)}</dd>`
    : ''
  const purpose =
    row.purpose === ''
      ? ''
      : html`<dt>What for</dt>
          <dd>“${name(row.purpose, 400)}”</dd>`
  return html`<article class="card consent ${standing === 'holds' ? '' : 'ended'}">
    <h3>${clientOf(row)}</h3>
    <dl>
      ${person}
      <dt>May use</dt>
      <dd>${what(row.tool, row.access)}</dd>
      ${purpose}
      <dt>Allowed</dt>
      <dd>${time(row.grantedAt, now)}</dd>
      <dt>${ENDS[standing]}</dt>
      <dd>${until}</dd>
    </dl>
    ${
      standing === 'outdated'
        ? html`<p class="changed">
            The tool was changed after ${showPerson ? 'the person' : 'you'} agreed to it, so this no
            longer counts.
          </p>`
        : ''
    }
    ${again === null ? '' : html`<p><a href="${again}">${AGAIN[standing]}</a></p>`}
    ${
      options.revoke === undefined
        ? ''
        : html`<p class="soft">
            ${options.revoke.map(
              ({ path, words }, at) => html`${at === 0 ? '' : ' · '}<a href="${path}">${words}</a>`,
            )}
          </p>`
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
