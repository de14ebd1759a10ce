import { html } from 'hono/html'
import { allPath, revocationHistoryPath, revocationsPath } from '../../../../page-addresses.ts'
import type { Seal } from '../../../form.ts'
import { code, layout, name, type Html } from '../../../pages/layout.ts'
import { shown } from '../../../shown.ts'
import { KINDS, KINDS_OFFERED } from '../kinds.ts'
import type { ListedRevocation } from '../rows.ts'
import { LONGEST_TYPED, type Typed, type WantedProblem } from '../wanted.ts'
import { revocationCard } from './revocation-card.ts'
import { revokeCard, type Asking, type AskRevoke } from './revoke-card.ts'

export interface Listed {
  readonly row: ListedRevocation
  /** null: a stream wrote it. */
  readonly seal: Seal | null
}

export interface RevocationsPage extends Asking {
  readonly done: Done | null
  readonly typed: Typed
  readonly problem: WantedProblem | null
  readonly ask: AskRevoke | null
  readonly issuers: readonly string[]
  readonly listed: readonly Listed[]
  /** Whether the list begins with the latest. */
  readonly isFirst: boolean
  /** null: these are all. */
  readonly older: string | null
}

/** What was just done, told after the redirect. */
export const DONE = {
  revoked: 'Revoked. The next call is refused, and what is open is being stopped.',
  held: 'It was revoked already. Nothing was changed.',
  lifted: 'Lifted. The next call is let in, if nothing else is against it.',
} as const
export type Done = keyof typeof DONE

const PROBLEMS: Readonly<Record<WantedProblem, string>> = {
  kind_unknown: 'There is nothing of that kind to revoke.',
  id_missing: 'Say which one: its id is missing.',
  id_too_long: `Ids of more than ${LONGEST_TYPED} characters are revoked by SQL: no page shows them whole.`,
  id_unprintable: 'There is a character in it that is in no id, such as the end of a line.',
  id_is_a_token:
    'This is a token itself. Give its “jti”: the token could be written in another way, and a list is no place for it.',
  issuer_unknown: 'This tenant has no such issuer.',
  other_tenant: 'Only this tenant can be revoked here.',
}

export function revocationsPage(page: RevocationsPage): Html {
  const { server, tenant, listed, problem } = page
  return layout(
    `Revocations of ${tenant}`,
    html`<p class="who">
        <span
          >You are <strong>${name(page.administrator.email)}</strong>, an administrator of
          ${code(tenant)}.</span
        >
        <span
          ><a href="${revocationHistoryPath(server)}">What was done</a> ·
          <a href="${allPath(server)}">Consents</a></span
        >
      </p>
      ${problem === null ? '' : html`<p class="changed" role="alert">${PROBLEMS[problem]}</p>`}
      ${page.ask === null ? choice(page) : revokeCard(page.ask, page)}
      <h2>What is revoked ${page.isFirst ? 'now' : 'and older'}</h2>
      ${
        listed.length > 0
          ? ''
          : html`<p class="soft">
              ${page.isFirst ? 'Nothing is revoked in this tenant.' : 'There are no older ones.'}
            </p>`
      }
      ${listed.map(({ row, seal }) => revocationCard(row, { server, seal, now: page.now }))}
      ${page.isFirst ? '' : html`<p><a href="${revocationsPath(server)}">To the newest</a></p>`}
      ${page.older === null ? '' : html`<p><a href="${page.older}">Older ones</a></p>`}`,
    page.done === null ? null : html`${DONE[page.done]}`,
  )
}

const prose = (text: string): Html[] =>
  text.split('`').map((part, at) => (at % 2 === 0 ? html`${part}` : html`<code>${part}</code>`))

/** What is not shown again: the first is a credential, and half of the second is another id. */
const NOT_REPEATED: ReadonlySet<WantedProblem | null> = new Set(['id_is_a_token', 'id_too_long'])

/**
 * Leads to the question, and revokes nothing itself. The field has no `maxlength`: browsers would cut
 * what is pasted, and part of a token would pass for the name of one.
 */
const choice = ({ server, typed, problem, issuers }: RevocationsPage): Html =>
  html`<form class="card" method="get" action="${revocationsPath(server)}">
    <h2>Revoke something</h2>
    <div class="field">
      <label for="kind">What is it?</label>
      <select id="kind" name="kind" aria-describedby="kinds">
        ${KINDS_OFFERED.map(
          (kind) =>
            html`<option value="${kind}" ${kind === typed.kind ? 'selected' : ''}>
              ${KINDS[kind].title}
            </option>`,
        )}
      </select>
    </div>
    <div class="field">
      <label for="id">Which one? Its id, letter by letter</label>
      <input
        type="text"
        id="id"
        name="id"
        value="${NOT_REPEATED.has(problem) ? '' : typed.id}"
        required
        aria-describedby="kinds"
        autocomplete="off"
        autocapitalize="none"
        spellcheck="false"
      />
    </div>
    <details class="help">
      <summary>Where to find the id</summary>
      <dl id="kinds">
        ${KINDS_OFFERED.map(
          (kind) =>
            html`<dt>${KINDS[kind].title}</dt>
              <dd>${prose(KINDS[kind].id)}</dd>`,
        )}
      </dl>
    </details>
    <div class="field">
      <label for="issuer">Whose name is that?</label>
      <select id="issuer" name="issuer" aria-describedby="issuer-help">
        <option value="*">Of any issuer of this tenant</option>
        ${issuers.map(
          (issuer) =>
            html`<option value="${issuer}" ${issuer === typed.issuer ? 'selected' : ''}>
              ${shown(issuer, 120)}
            </option>`,
        )}
      </select>
      <p class="soft" id="issuer-help">
        Counts for people, programs, agents, tokens, logins and signing keys: their names are given
        by issuers. Everything else is revoked for all.
      </p>
    </div>
    <div class="actions">
      <button class="quiet">Look at it</button>
      <span class="soft">You decide on the next page.</span>
    </div>
  </form>`
