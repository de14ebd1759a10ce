// Pure. What can be revoked, in words for people. Exhaustive by its type.
import { REVOCATION_KINDS, type RevocationKind } from '../../../pdp/refusal.ts'

export interface KindWords {
  readonly title: string
  /** What its id is; what stands in backticks is written so. */
  readonly id: string
  /**
   * Whether the id is a name that an issuer gives, so that two issuers may mean different things by it.
   * Where it is not, a revocation is always for all.
   */
  readonly ofIssuer: boolean
}

export const KINDS: Readonly<Record<RevocationKind, KindWords>> = {
  subject: {
    title: 'Person or workload',
    id: 'their `sub`, as their tokens and the records have it',
    ofIssuer: true,
  },
  client: {
    title: 'Program (client)',
    id: 'its `client_id`',
    ofIssuer: true,
  },
  agent: {
    title: 'Agent',
    id: 'its own name: the outermost `act.sub`, or its SPIFFE ID',
    ofIssuer: true,
  },
  token: {
    title: 'One token',
    id: 'its `jti`, never the token itself',
    ofIssuer: true,
  },
  token_session: {
    title: 'One login',
    id: 'its `sid`, as the tokens that came from it have it',
    ofIssuer: true,
  },
  session: {
    title: 'History of a person',
    id: 'the session key that records show, 64 hexadecimal digits',
    ofIssuer: false,
  },
  task: {
    title: 'Task',
    id: 'its id; of a task that only tokens declare `txn:` and its name',
    ofIssuer: false,
  },
  consent: {
    title: 'Consent',
    id: 'its id',
    ofIssuer: false,
  },
  tool: {
    title: 'Tool',
    id: 'the name of the server, a slash, and the name of the tool: `crm/export`',
    ofIssuer: false,
  },
  server: {
    title: 'Server',
    id: 'its name, as in the address of its endpoint',
    ofIssuer: false,
  },
  proof_key: {
    title: 'Key of a client or workload',
    id: 'its thumbprint (a DPoP key, a certificate, a workload’s key), as `cnf` has it: 43 letters and digits',
    ofIssuer: false,
  },
  issuer_key: {
    title: 'Signing key of an issuer',
    id: 'its `kid`',
    ofIssuer: true,
  },
  issuer: {
    title: 'Issuer',
    id: 'its url, byte for byte',
    ofIssuer: false,
  },
  tenant: {
    title: 'The whole tenant',
    id: 'the name of this tenant',
    ofIssuer: false,
  },
}

/** In the order of how often they are wanted. */
export const KINDS_OFFERED = Object.keys(KINDS) as RevocationKind[]

export const isKind = (word: string): word is RevocationKind =>
  (REVOCATION_KINDS as readonly string[]).includes(word)
