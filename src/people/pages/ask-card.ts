// The question itself: who would be allowed what, where, and until when.
import { html } from 'hono/html'
import type { Difference } from '../../mcp/definition.ts'
import type { Access, ToolFacts } from '../../pdp/evaluation.ts'
import { consentPath, grantPath, type Wanted } from '../address.ts'
import type { ClientRow } from '../consents.ts'
import type { Seal } from '../form.ts'
import { hostOfClientId, LONGEST_TEXT, redirectHosts, shownHost } from '../shown.ts'
import { ACCESS_WORDS, SPANS } from '../words.ts'
import { hiddenFields } from './consent-card.ts'
import { code, name, type Html } from './layout.ts'

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

export function askCard(server: string, serverTitle: string, ask: Ask): Html {
  const { wanted, client, tool, access, definition } = ask
  return html`<section class="card ask" aria-labelledby="ask">
    <h2 id="ask">Allow this?</h2>
    <dl>
      <dt>Program</dt>
      <dd>
        ${code(client.id)}
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
            ? html`any tool of this server, to <strong>${ACCESS_WORDS[access]}</strong>`
            : html`the tool ${code(tool.name)}, to <strong>${ACCESS_WORDS[access]}</strong>`
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
        <a href="${consentPath(server)}">Do not allow</a>
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
  return html`<p class="soft">The server describes it so:</p>
    <blockquote>
      ${title === null ? '' : html`<strong>${name(title)}</strong> `}${
        text === null ? '' : name(text, LONGEST_TEXT)
      }
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
        </dl>`
  return html`<div class="changed">
    <p><strong>This tool was changed after you agreed to it.</strong></p>
    ${list}
  </div>`
}

const MOST_CHANGES = 8
