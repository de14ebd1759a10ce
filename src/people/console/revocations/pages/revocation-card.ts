// One row of `revocations`, as a person reads it.
import { html } from 'hono/html'
import { liftPath } from '../../../../page-addresses.ts'
import { hiddenFields, time } from '../../../pages/consent-card.ts'
import { id, name, type Html } from '../../../pages/layout.ts'
import type { Seal } from '../../../form.ts'
import { shown } from '../../../shown.ts'
import { KINDS } from '../kinds.ts'
import type { RevocationRow } from '../rows.ts'

export const heading = ({ kind, id: named }: RevocationRow): Html =>
  html`${id(named)} <span class="soft">${KINDS[kind].title}</span>`

/** A stream and its topic, as src/signals/write.ts names them. */
function streamOf(source: string): { readonly stream: string; readonly topic: string } {
  const at = source.lastIndexOf('/')
  return at === -1
    ? { stream: source, topic: '' }
    : { stream: source.slice(0, at), topic: source.slice(at + 1) }
}

/** A stream leaves no name in what it writes, and its own in what it lifts. */
export const saidBy = ({ source }: Pick<RevocationRow, 'source'>, by: string): Html =>
  source !== '' && (by === '' || by === source)
    ? html`the stream ${id(streamOf(source).stream)}`
    : by === ''
      ? html`SQL`
      : name(by, 200)

/** What both the list and the history tell of a row. */
export function details(row: RevocationRow, now: number): Html {
  const { issuer, issuedBefore, onlyClient, onlyWithoutSession, reason } = row
  const only = [
    ...(issuedBefore === null ? [] : [html`tokens issued until ${time(issuedBefore, now)}`]),
    ...(onlyClient === '' ? [] : [html`tokens of the program ${id(onlyClient)}`]),
    ...(onlyWithoutSession === 0 ? [] : [html`tokens that name no login`]),
  ]
  return html`${
    KINDS[row.kind].ofIssuer || issuer !== '*'
      ? html`<dt>Issuer</dt>
          <dd>${issuer === '*' ? 'any of this tenant' : id(issuer)}</dd>`
      : ''
  }
  ${
    only.length === 0
      ? ''
      : html`<dt>Only</dt>
          <dd>${only.map((part, at) => html`${at === 0 ? '' : html`<br />`}${part}`)}</dd>`
  }
  ${
    reason === ''
      ? ''
      : html`<dt>Why</dt>
          <dd>“${name(reason, 400)}”</dd>`
  }`
}

/** Where to go with what a stream said. */
function elsewhere({ source, issuer, issuedBefore }: RevocationRow): Html {
  const { topic } = streamOf(source)
  const what =
    topic === 'account'
      ? 'It is lifted when the account is enabled again there, as soon as the stream tells so.'
      : topic !== 'tokens'
        ? 'It is taken back where it was said.'
        : issuedBefore === null
          ? 'It is over for good. After a new login there, new tokens are let in.'
          : 'It ends what was issued until then. After a new login there, new tokens are let in.'
  return html`<p class="soft">
    Told by the identity provider${issuer === '*' ? '' : html` ${id(issuer)}`}. ${what}
  </p>`
}

export interface CardParts {
  readonly server: string
  /** null: no person wrote it, so none lifts it here. */
  readonly seal: Seal | null
  readonly now: number
}

export const revocationCard = (row: RevocationRow, { server, seal, now }: CardParts): Html =>
  html`<article class="card consent">
    <h3>${heading(row)}</h3>
    <dl>
      ${details(row, now)}
      <dt>Revoked</dt>
      <dd>${time(row.revokedAt, now)} by ${saidBy(row, row.revokedBy)}</dd>
    </dl>
    ${
      seal === null
        ? elsewhere(row)
        : html`<form method="post" action="${liftPath(server)}">
            ${hiddenFields({ ...seal, change: String(row.change) })}
            <button
              class="quiet small"
              aria-label="Lift: ${KINDS[row.kind].title} ${shown(row.id)}"
            >
              Lift
            </button>
          </form>`
    }
  </article>`
