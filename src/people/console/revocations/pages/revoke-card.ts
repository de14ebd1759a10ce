// The question itself: what would end, and whether that is meant.
import { html } from 'hono/html'
import { revocationsPath, revokePath } from '../../../../page-addresses.ts'
import type { RevocationKind } from '../../../../pdp/refusal.ts'
import { idFault } from '../../../../pdp/revocation-id.ts'
import type { Administrator } from '../../../administrator.ts'
import type { Seal } from '../../../form.ts'
import { hiddenFields, time } from '../../../pages/consent-card.ts'
import { id, type Html } from '../../../pages/layout.ts'
import { shown } from '../../../shown.ts'
import { KINDS } from '../kinds.ts'
import type { Known } from '../known.ts'
import type { RevocationRow } from '../rows.ts'
import { LONGEST_TYPED, type WantedRevocation } from '../wanted.ts'
import { effectOf } from './effect.ts'

export interface AskRevoke {
  readonly wanted: WantedRevocation
  readonly known: Known
  /** What a person said of it before, where that holds; null: nothing does. */
  readonly before: RevocationRow | null
  readonly after: string
  readonly seal: Seal
}

export const LONGEST_REASON = 200

export interface Asking {
  readonly server: string
  readonly tenant: string
  readonly administrator: Pick<Administrator, 'email' | 'issuer' | 'keyId'>
  readonly now: number
}

export function revokeCard(ask: AskRevoke, asking: Asking): Html {
  const { wanted, before } = ask
  const holds = before !== null && before.issuedBefore === null
  return html`<section class="card ask" aria-labelledby="ask">
    <h2 id="ask">${holds ? 'Revoked already' : 'Revoke this?'}</h2>
    <p>${effectOf(wanted)}</p>
    <dl>
      <dt>${KINDS[wanted.kind].title}</dt>
      <dd>${id(wanted.id)}</dd>
      ${
        KINDS[wanted.kind].ofIssuer
          ? html`<dt>Issuer</dt>
              <dd>${wanted.issuer === '*' ? 'any of this tenant' : id(wanted.issuer)}</dd>`
          : ''
      }
      ${
        before === null
          ? ''
          : html`<dt>Revoked</dt>
              <dd>${time(before.revokedAt, asking.now)}</dd>`
      }
    </dl>
    ${
      holds
        ? html`<p>Nothing is left to be done. It is in the list below.</p>
            <p class="actions">
              <a class="button quiet" href="${revocationsPath(asking.server)}">To the list</a>
            </p>`
        : html`${warningsOf(ask, asking)}${form(ask, asking.server)}`
    }
  </section>`
}

const form = ({ wanted, after, seal }: AskRevoke, server: string): Html =>
  html`<p class="soft">
      Calls under way and open streams of it are stopped within two seconds. Lifting it lets new
      calls in again; what was stopped stays stopped.
    </p>
    <form method="post" action="${revokePath(server)}">
      ${hiddenFields({ ...seal, kind: wanted.kind, named: wanted.id, issuer: wanted.issuer, after })}
      <div class="field">
        <label for="reason">Why? <span class="soft">(optional)</span></label>
        <input
          type="text"
          id="reason"
          name="reason"
          maxlength="${LONGEST_REASON}"
          aria-describedby="reason-help"
          autocomplete="off"
        />
        <p class="soft" id="reason-help">
          For the other administrators. Whoever is refused does not see it.
        </p>
      </div>
      <div class="actions">
        <button class="danger">Revoke</button>
        <a class="button quiet" href="${revocationsPath(server)}">Do not revoke</a>
      </div>
    </form>`

function warningsOf(ask: AskRevoke, asking: Asking): Html | '' {
  const warnings = [
    ...unknown(ask),
    ...misleading(ask.wanted),
    ...closingTheDoor(ask.wanted, asking),
    ...(ask.before === null
      ? []
      : [html`So far only older tokens were revoked. This revokes newer ones too.`]),
  ]
  return warnings.length === 0
    ? ''
    : html`<div class="changed" role="note">${warnings.map((text) => html`<p>${text}</p>`)}</div>`
}

const NEVER = {
  is_a_token: 'This is a token itself, not its name.',
  no_thumbprint: 'No thumbprint is written so: this would revoke nothing.',
  no_session_key: 'No history has such a key: this would revoke nothing.',
} as const

/** A slip of the pen is told, and never refused: what is not known yet may be meant. */
function unknown({ wanted: { kind, id: named }, known }: AskRevoke): Html[] {
  const fault = idFault(kind, named)
  if (fault !== null) return [html`${NEVER[fault]}`]
  if (known !== 'unknown') return []
  return [
    kind === 'subject'
      ? html`<strong>Nobody of that name is known in this tenant</strong>: no role, no consent, no
          open task. Check each letter. It can be right where people need none of these.`
      : html`<strong>Nothing of that name is known in this tenant.</strong> Check each letter: if it
          is wrong, nothing is revoked.`,
  ]
}

function misleading({ kind, id: named, issuer }: WantedRevocation): Html[] {
  return [
    ...(shown(named, LONGEST_TYPED) === named
      ? []
      : [
          html`There is something in it that cannot be seen, such as a space at an end. It is
          written out above, and it counts.`,
        ]),
    ...(kind === 'issuer_key' && issuer === '*'
      ? [
          html`Issuers name their keys themselves: a key of this name of
            <strong>every</strong> issuer is meant.`,
        ]
      : []),
  ]
}

/** Whoever shuts themselves out is told before. */
function closingTheDoor(
  { kind, id: named, issuer }: WantedRevocation,
  { administrator, tenant }: Asking,
): Html[] {
  if (kind === 'tenant' && named === tenant) {
    return [
      html`<strong>These pages close as well, for you too.</strong> Only SQL lifts it: a row of
        <code>revocations</code> is deleted.`,
    ]
  }
  const mine: Partial<Record<RevocationKind, string>> = {
    issuer: administrator.issuer,
    subject: administrator.email,
    issuer_key: administrator.keyId,
  }
  return named === mine[kind] && (issuer === '*' || issuer === administrator.issuer)
    ? [
        html`<strong>That is how you are here yourself.</strong> You will not see this page any
          more.`,
      ]
    : []
}
