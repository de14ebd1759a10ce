import { html } from 'hono/html'
import {
  consentPath,
  logoutPath,
  revocationsPath,
  wantedPath,
  withdrawPath,
} from '../../page-addresses.ts'
import type { Access } from '../../pdp/evaluation.ts'
import { MOST_SHOWN, type ClientRow, type ConsentRow } from '../consents.ts'
import type { Seal } from '../form.ts'
import { shown, shownHost } from '../shown.ts'
import { ACCESS_WORDS } from '../words.ts'
import { askCard, type Ask } from './ask-card.ts'
import { consentCard, hiddenFields, type Standing } from './consent-card.ts'
import { code, layout, name, type Html } from './layout.ts'

export interface ListedConsent {
  readonly row: ConsentRow
  readonly standing: Standing
  /** null: it has ended. */
  readonly seal: Seal | null
}

export interface ConsentsPage {
  readonly server: string
  readonly title: string
  /** Whether calls need consents at this server. */
  readonly isAskedFor: boolean
  readonly person: { readonly subject: string; readonly issuer: string }
  readonly done: Done | null
  readonly ask: Ask | null
  readonly consents: readonly ListedConsent[]
  readonly clients: readonly ClientRow[]
  readonly tools: readonly string[]
  readonly classes: readonly Access[]
  readonly logout: Seal
  readonly now: number
}

/** What was just done, told after the redirect. */
export const DONE = {
  granted: 'Allowed. It counts from the next call on: go back to the program and let it try again.',
  withdrawn: 'Withdrawn. It does not count any more from the next call on.',
  unchanged: 'It had ended already. Nothing was changed.',
} as const
export type Done = keyof typeof DONE

const MOST_ENDED = 20

export function consentsPage(page: ConsentsPage): Html {
  const { server, now, ask, person } = page
  const cardOf = ({ row, standing, seal }: ListedConsent): Html =>
    consentCard(row, {
      standing,
      now,
      showPerson: false,
      withdraw: seal === null ? null : { action: withdrawPath(server), seal },
      again: standing === 'holds' ? null : wantedPath(server, row),
    })
  const open = page.consents
    .filter(({ seal }) => seal !== null)
    .toSorted((a, b) => b.row.grantedAt - a.row.grantedAt)
  const ended = page.consents.filter(({ seal }) => seal === null).slice(0, MOST_ENDED)
  return layout(
    `Your consents for ${shown(page.title)}`,
    html`<div class="who">
        <span
          >Signed in as <strong>${name(person.subject)}</strong> at
          ${name(shownHost(new URL(person.issuer).host))}</span
        >
        <form method="post" action="${logoutPath(server)}">
          ${hiddenFields({ ...page.logout })}<button class="quiet small">Sign out</button>
        </form>
      </div>
      ${ask === null ? '' : askCard(server, page.title, ask)}
      ${
        page.isAskedFor
          ? ''
          : html`<p class="changed">
              ${name(page.title)} does not ask for consents now: programs may act for you there
              without them.
            </p>`
      }
      <h2>What you allow now</h2>
      ${open.length === 0 ? html`<p class="soft">Nothing. ${HOW_IT_BEGINS}</p>` : open.map(cardOf)}
      ${
        open.length < MOST_SHOWN
          ? ''
          : html`<p class="soft">There may be more. Withdraw one to see the next.</p>`
      }
      ${ask === null ? choice(page) : ''}
      ${
        ended.length === 0
          ? ''
          : html`<details ${open.length === 0 && ask === null ? 'open' : ''}>
              <summary>What has ended lately</summary>
              ${ended.map(cardOf)}
            </details>`
      }`,
    page.done === null ? null : html`${DONE[page.done]}`,
  )
}

const HOW_IT_BEGINS = 'A program that needs your consent shows you a link to this page.'

/** Leads to the question, and allows nothing itself. */
function choice({ server, clients, tools, classes }: ConsentsPage): Html | '' {
  if (clients.length === 0 || (tools.length === 0 && classes.length === 0)) return ''
  return html`<h2>Allow something</h2>
    <form class="card" method="get" action="${consentPath(server)}">
      <div class="field">
        <label for="client">Which program?</label>
        <select id="client" name="client">
          ${clients.map(
            ({ id, name: claimed }) =>
              html`<option value="${id}">
                ${shown(id, 60)}${claimed === '' ? '' : ` (“${shown(claimed, 60)}”)`}
              </option>`,
          )}
        </select>
      </div>
      <div class="field">
        <label for="what">What may it do?</label>
        <select id="what" name="what">
          <optgroup label="One tool">
            ${tools.map((tool) => html`<option value="tool:${tool}">${shown(tool)}</option>`)}
          </optgroup>
          <optgroup label="Any tool">
            ${classes.map(
              (access) => html`<option value="access:${access}">${ACCESS_WORDS[access]}</option>`,
            )}
          </optgroup>
        </select>
      </div>
      <div class="actions">
        <button class="quiet">Look at it</button>
        <span class="soft">You decide on the next page.</span>
      </div>
    </form>`
}

/** Each leads to the question; nothing is revoked by it. */
const revocable = (server: string, { issuer, subject, client }: ConsentRow) => [
  {
    words: 'Revoke this person',
    path: revocationsPath(server, { kind: 'subject', id: subject, issuer }),
  },
  {
    words: 'Revoke this program',
    path: revocationsPath(server, { kind: 'client', id: client, issuer }),
  },
]

export interface AllPage {
  readonly server: string
  readonly title: string
  readonly email: string
  readonly done: Done | null
  readonly consents: readonly ListedConsent[]
  readonly withdrawAction: string
  /** Whether the list begins with the latest. */
  readonly isFirst: boolean
  /** null: these are all. */
  readonly older: string | null
  readonly now: number
}

/** For administrators: what everybody gave. */
export function allPage(page: AllPage): Html {
  return layout(
    `All consents for ${shown(page.title)}`,
    html`<p class="who">
        <span
          >You are <strong>${name(page.email)}</strong>, an administrator of
          ${code(page.server)}.</span
        >
        <span><a href="${revocationsPath(page.server)}">Revocations</a></span>
      </p>
      <p class="soft">You can withdraw what people gave. Only they can give it.</p>
      ${
        page.consents.length > 0
          ? ''
          : html`<p>
              ${page.isFirst ? 'Nobody has allowed anything here.' : 'There are no older ones.'}
            </p>`
      }
      ${page.consents.map(({ row, standing, seal }) =>
        consentCard(row, {
          standing,
          now: page.now,
          showPerson: true,
          withdraw: seal === null ? null : { action: page.withdrawAction, seal },
          again: null,
          revoke: revocable(page.server, row),
        }),
      )}
      ${page.older === null ? '' : html`<p><a href="${page.older}">Older ones</a></p>`}`,
    page.done === null ? null : html`${DONE[page.done]}`,
  )
}
