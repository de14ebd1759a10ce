// The question itself: who would be allowed what, where, and until when.
import { html } from 'hono/html'
import type { Difference } from '../../mcp/definition.ts'
import { consentPath, grantPath, type Wanted } from '../../page-addresses.ts'
import type { Access, ToolFacts } from '../../pdp/evaluation.ts'
import type { ClientRow } from '../consents.ts'
import type { Seal } from '../form.ts'
import { hostOfClientId, redirectHosts, shownHost, shownLines } from '../shown.ts'
import { ACCESS_WORDS, SPANS } from '../words.ts'
import { hiddenFields } from './consent-card.ts'
import { code, id, name, type Html } from './layout.ts'

export interface Ask {
  readonly wanted: Wanted
  readonly client: ClientRow
  /** null: a class of access is asked for. */
  readonly tool: ToolFacts | null
  readonly access: Access
  /** As its server describes it, where it is pinned. */
  readonly described: { readonly title: string | null; readonly text: string | null }
  /** null: the person never agreed to another definition. */
  readonly changed: readonly Difference[] | 'unknown' | null
  readonly definition: string
  readonly seal: Seal
}

export const LONGEST_PURPOSE = 200

/** What cannot be undone, or reaches far, stands out. */
const GRAVE: ReadonlySet<Access> = new Set(['export', 'admin', 'destructive'])

const does = (access: Access): Html =>
  html`<strong class="${GRAVE.has(access) ? 'grave' : ''}">${ACCESS_WORDS[access]}</strong>`

export function askCard(server: string, serverTitle: string, ask: Ask): Html {
  const { wanted, client, tool, access, definition } = ask
  return html`<section class="card ask" aria-labelledby="ask">
    <h2 id="ask">Allow this?</h2>
    <p>
      If you allow it, the program can do this in your name, as often as it likes, without asking
      again. Allow it only if you started this yourself.
    </p>
    <dl>
      <dt>Program</dt>
      <dd>
        ${id(client.id)}
        ${
          client.name === ''
            ? ''
            : html`<br /><span class="soft"
                  >It calls itself “${name(client.name)}”. Anybody can take a name.</span
                >`
        }
      </dd>
      ${hostsOf(client)}
      <dt>Server</dt>
      <dd>${name(serverTitle)} (${code(server)})</dd>
      <dt>May use</dt>
      <dd>
        ${
          tool === null
            ? html`<strong>any tool</strong> of this server, to ${does(access)}`
            : html`the tool ${id(tool.name)}, to ${does(access)}`
        }
      </dd>
    </dl>
    ${description(ask)} ${changes(ask)}
    <form method="post" action="${grantPath(server)}">
      ${hiddenFields({
        ...ask.seal,
        client: wanted.client,
        tool: wanted.tool ?? '',
        access: wanted.access ?? '',
        definition,
        does: access,
      })}
      <fieldset>
        <legend>How long?</legend>
        ${Object.entries(SPANS).map(
          ([span, { words }], index) =>
            html`<label
              ><input
                type="radio"
                name="until"
                value="${span}"
                ${index === 0 ? 'checked' : ''}
              />${words}</label
            >`,
        )}
      </fieldset>
      <div class="field">
        <label for="purpose">What is it for? <span class="soft">(optional)</span></label>
        <input
          type="text"
          id="purpose"
          name="purpose"
          maxlength="${LONGEST_PURPOSE}"
          aria-describedby="purpose-help"
          autocomplete="off"
        />
        <p class="soft" id="purpose-help">
          Your words are kept with the consent. They allow nothing more.
        </p>
      </div>
      <div class="actions">
        <button>Allow</button>
        <a class="button quiet" href="${consentPath(server)}">Do not allow</a>
      </div>
    </form>
  </section>`
}

/** What is known of a client besides its own words. */
function hostsOf({ id, redirectHosts: json }: ClientRow): Html {
  const own = hostOfClientId(id)
  const hosts = redirectHosts(json)
  return html`${
      own === null
        ? ''
        : html`<dt>Published by</dt>
            <dd><strong>${name(shownHost(own))}</strong></dd>`
    }
    <dt>Sign-in returns to</dt>
    <dd>
      ${
        hosts.length === 0
          ? html`<span class="soft">not known</span>`
          : hosts.map(
              (host, index) =>
                html`${index === 0 ? '' : ', '}<strong>${name(shownHost(host))}</strong>`,
            )
      }
    </dd>`
}

function description({ described: { title, text } }: Ask): Html | '' {
  if (title === null && text === null) return ''
  const lines = text === null ? [] : shownLines(text)
  return html`<p class="soft" id="described">The server describes the tool so:</p>
    <blockquote tabindex="0" aria-labelledby="described">
      ${title === null ? '' : html`<p><strong>${name(title)}</strong></p>`}
      ${lines.map((line) => html`<p><bdi>${line}</bdi></p>`)}
    </blockquote>`
}

function changes({ changed }: Ask): Html | '' {
  if (changed === null) return ''
  const list =
    changed === 'unknown' || changed.length === 0
      ? html`<p>What it was then is not known any more, so read the description again.</p>`
      : html`<dl>
            ${changed.slice(0, MOST_CHANGES).map(
              ({ pointer, pinned, seen }) =>
                html`<dt>${code(pointer)}</dt>
                  <dd>
                    ${pinned === null ? 'was not there' : html`was ${code(pinned)}`}<br />
                    ${seen === null ? 'is not there now' : html`is ${code(seen)}`}
                  </dd>`,
            )}
          </dl>
          ${
            changed.length < MOST_CHANGES
              ? ''
              : html`<p>
                  There may be more changes than these. An administrator can see all of them.
                </p>`
          }`
  return html`<div class="changed">
    <p><strong>This tool was changed after you agreed to it.</strong></p>
    ${list}
  </div>`
}

/** As many as are told apart (src/mcp/definition.ts). */
const MOST_CHANGES = 20
