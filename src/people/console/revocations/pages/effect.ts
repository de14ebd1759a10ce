// What a revocation means, in plain words.
import { html } from 'hono/html'
import type { RevocationKind } from '../../../../pdp/refusal.ts'
import { code, type Html } from '../../../pages/layout.ts'
import type { WantedRevocation } from '../wanted.ts'

const from = (issuer: string): Html =>
  issuer === '*' ? html`from any issuer of this tenant` : html`from ${code(issuer)}`

const ENDS: Readonly<Record<RevocationKind, (what: Html, issuer: Html) => Html>> = {
  subject: (what, issuer) =>
    html`Every token of ${what} ${issuer} ends with its next call, whichever program holds it. They
    have no page here any more either.`,
  client: (what, issuer) =>
    html`The program ${what} ${issuer} can do nothing any more, for anybody: its next call is
    refused.`,
  agent: (what, issuer) =>
    html`The agent ${what} ${issuer} can do nothing any more, for anybody: its next call is refused.
    The people it acted for are let in without it.`,
  token: (what, issuer) =>
    html`The one token that is called ${what} ${issuer} ends with its next call. Another token of
    the same person is let in.`,
  token_session: (what, issuer) =>
    html`Every token that came from the login ${what} ${issuer} ends with its next call. The person
    is let in again after a new login.`,
  session: (what) =>
    html`Whoever has the history ${what} is refused with their next call, through every program and
    with every token.`,
  task: (what) =>
    html`The task ${what} ends: the next call under it is refused, and what upstreams were given for
    it is taken back.`,
  consent: (what) =>
    html`The consent ${what} does not count any more: calls that need it are refused from the next
    one on. The person can give a new one.`,
  tool: (what) => html`Nobody can use ${what} any more: the next call to it is refused.`,
  server: (what) =>
    html`Nobody can do anything at the server ${what} any more: every next call there is refused.`,
  proof_key: (what) =>
    html`Every token that is bound to the key ${what} ends with its next call, whoever holds it.`,
  issuer_key: (what, issuer) =>
    html`Every token that was signed with the key ${what} ${issuer} ends with its next call. Tokens
    signed with other keys are let in.`,
  issuer: (what) =>
    html`Every token from ${what} ends with its next call: nobody who signs in there can do anything
    any more.`,
  tenant: (what) => html`Every next call in the tenant ${what} is refused, for everybody.`,
}

export const effectOf = ({ kind, id, issuer }: WantedRevocation): Html =>
  ENDS[kind](code(id), from(issuer))
