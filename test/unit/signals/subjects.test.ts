import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isJsonObject, type JsonObject } from '../../../src/mcp/value.ts'
import { readJson } from '../../../src/mcp/json.ts'
import type { Stream } from '../../../src/signals/stream.ts'
import { aliasesAsked, readSubject } from '../../../src/signals/subjects.ts'
import { targetsOf, type Known } from '../../../src/signals/targets.ts'

const ISSUER = 'https://login.example.com'

const stream = (more: Partial<Stream> = {}): Stream => ({
  id: 'idp',
  tenant: 'acme',
  issuer: ISSUER,
  transmitter: ISSUER,
  keys: { url: ISSUER, jwksUri: `${ISSUER}/jwks.json`, algorithms: ['RS256'] },
  revokedKeys: [],
  audience: 'us',
  secret: null,
  poll: null,
  emailIsSubject: true,
  tenantName: null,
  criticalMembers: [],
  tenantClaim: null,
  ...more,
})

const json = (value: unknown): JsonObject => {
  const read = readJson(JSON.stringify(value))
  if (!read.ok || !isJsonObject(read.value)) throw new Error('no object')
  return read.value
}

const NOBODY: Known = { named: [], have: [] }

function targets(subject: unknown, known: Known = NOBODY, of: Partial<Stream> = {}) {
  const read = readSubject(json(subject), stream(of))
  if (!read.ok) return read.error
  return targetsOf(read.value, known, stream(of)).map(
    ({ kind, id, onlyClient, onlyWithoutSession }) =>
      [kind, id, onlyClient, onlyWithoutSession].filter((part) => part !== '' && part !== false),
  )
}

const opaque = (id: string) => ({ format: 'opaque', id })
const iss = (sub: string, from = ISSUER) => ({ format: 'iss_sub', iss: from, sub })
const complex = (members: object) => ({ format: 'complex', ...members })

describe('a subject is the keys of the tokens it means', () => {
  it.each([
    ['a person', iss('alice'), [['subject', 'alice']]],
    ['a person of another issuer', iss('alice', 'https://other.example'), []],
    ['an issuer that differs in a slash', iss('alice', `${ISSUER}/`), []],
    ['a token', { format: 'jwt_id', iss: ISSUER, jti: 't1' }, [['token', 't1']]],
    ['a token of another issuer', { format: 'jwt_id', iss: 'https://o.example', jti: 't1' }, []],
    [
      'an opaque id',
      opaque('x'),
      [
        ['token_session', 'x'],
        ['subject', 'x'],
      ],
    ],
    ['an email', { format: 'email', email: 'a@b.c' }, [['subject', 'a@b.c']]],
    [
      'aliases',
      { format: 'aliases', identifiers: [iss('alice'), iss('bob', 'https://o.example')] },
      [['subject', 'alice']],
    ],
    [
      'aliases of a token, a login and a person: all of them',
      {
        format: 'aliases',
        identifiers: [
          { format: 'jwt_id', iss: ISSUER, jti: 't1' },
          { format: 'jwt_id', iss: ISSUER, jti: 't2' },
          iss('alice'),
          opaque('x'),
        ],
      },
      [
        ['token', 't1'],
        ['token', 't2'],
        ['token_session', 'x'],
        ['subject', 'alice'],
        ['subject', 'x'],
      ],
    ],
    [
      'a client by two names',
      complex({
        application: { format: 'aliases', identifiers: [opaque('one'), iss('two')] },
        user: iss('alice'),
      }),
      [
        ['subject', 'alice', 'one'],
        ['subject', 'alice', 'two'],
      ],
    ],
    [
      'a token as the login of a person: no more than the token',
      complex({ user: iss('alice'), session: { format: 'jwt_id', iss: ISSUER, jti: 't1' } }),
      [['token', 't1']],
    ],
    [
      'a unit of the tenant that is not known here',
      complex({ tenant: opaque('t'), org_unit: opaque('x') }),
      [],
    ],
    ['a client in such a unit', complex({ application: opaque('app'), org_unit: opaque('x') }), []],
    ['another format', { format: 'saml_assertion_id', issuer: 'x', assertion_id: 'y' }, []],
    ['a made-up format', { format: '__proto__' }, []],
    ['a login', complex({ session: opaque('s1') }), [['token_session', 's1']]],
    [
      'a login of a person',
      complex({ session: opaque('s1'), user: iss('alice') }),
      [
        ['token_session', 's1'],
        ['subject', 'alice', true],
      ],
    ],
    [
      'a client of a person',
      complex({ application: opaque('app'), user: iss('alice') }),
      [['subject', 'alice', 'app']],
    ],
    ['a client', complex({ application: opaque('app') }), [['client', 'app']]],
    [
      'a client nobody can name',
      complex({
        application: { format: 'saml_assertion_id', issuer: 'a', assertion_id: 'b' },
        user: iss('alice'),
      }),
      [],
    ],
    ['everybody', complex({ tenant: opaque('t') }), [['issuer', ISSUER]]],
    ['a device nobody listed', complex({ device: iss('laptop'), tenant: opaque('t') }), []],
    ['a group nobody listed', complex({ group: opaque('g') }), []],
    ['nothing', complex({}), []],
    ['what is not known here', complex({ org_unit: opaque('x') }), []],
    [
      'a login with a person of another issuer',
      complex({ session: opaque('s1'), user: iss('alice', 'https://o.example') }),
      [],
    ],
  ])('%s', (_, subject, expected) => {
    expect(targets(subject)).toEqual(expected)
  })

  it.each([
    ['no `sub`', { format: 'iss_sub', iss: ISSUER }],
    ['a number', { format: 'opaque', id: 7 }],
    ['an empty text', { format: 'opaque', id: '' }],
    ['a line break', { format: 'opaque', id: 'a\nb' }],
    ['a long text', { format: 'opaque', id: 'x'.repeat(300) }],
    [
      'nested aliases',
      { format: 'aliases', identifiers: [{ format: 'aliases', identifiers: [] }] },
    ],
    ['no aliases', { format: 'aliases', identifiers: [] }],
    [
      'many aliases',
      { format: 'aliases', identifiers: Array.from({ length: 40 }, () => iss('a')) },
    ],
    ['a member that is a text', complex({ user: 'alice' })],
    ['a member without a format', complex({ user: { id: 'alice' } })],
  ])('%s is malformed', (_, subject) => {
    expect(targets(subject)).toBe('malformed')
  })

  it('an email means nobody where the row does not say that emails are subjects', () => {
    const email = { format: 'email', email: 'a@b.c' }
    expect(targets(email, NOBODY, { emailIsSubject: false })).toEqual([])
    const known = { named: [{ member: 'user', subject: 'alice' }], have: [] }
    expect(targets(email, known, { emailIsSubject: false })).toEqual([['subject', 'alice']])
  })

  it('a device and a group: whoever has the one, and is not known to be in others', () => {
    const subject = complex({ device: opaque('d'), group: opaque('g') })
    const has = (member: string, person: string) => ({ member, subject: person })
    const devices = [has('device', 'alice'), has('device', 'bob'), has('device', 'carol')]
    const known = {
      named: [...devices, has('group', 'alice')],
      have: [...devices, has('group', 'alice'), has('group', 'bob')],
    }
    expect(targets(subject, known)).toEqual([
      ['subject', 'alice'],
      ['subject', 'carol'],
    ])
  })

  it('another tenant of the issuer is not ours, whoever it is about', () => {
    const subject = complex({ user: iss('alice'), tenant: opaque('theirs') })
    expect(targets(subject, NOBODY, { tenantName: 'ours' })).toEqual([])
    expect(targets(subject, NOBODY, { tenantName: 'theirs' })).toEqual([['subject', 'alice']])
  })

  it('a critical member that is not known discards, others are looked past', () => {
    const subject = complex({ user: iss('alice'), org_unit: opaque('x') })
    expect(targets(subject)).toEqual([['subject', 'alice']])
    expect(targets(subject, NOBODY, { criticalMembers: ['org_unit'] })).toBe('critical_member')
    expect(targets(subject, NOBODY, { criticalMembers: ['user', 'device'] })).toEqual([
      ['subject', 'alice'],
    ])
  })

  it('asks for aliases only where rows may have them', () => {
    const read = readSubject(
      json(complex({ user: iss('a'), tenant: opaque('t'), device: opaque('d') })),
      stream(),
    )
    expect(read.ok && aliasesAsked(read.value)).toEqual([
      ['user', 'iss_sub', 'a'],
      ['device', 'opaque', 'd'],
    ])
  })
})

const FILE = resolve(
  process.env['SALLYPORT_SHARED'] ?? '../shared',
  'vectors/ssf-caep/ssf-management-examples.json',
)

/**
 * The three worked pairs of SSF 1.0 §8.1.3.1: in each, one subject is a token as rows describe it,
 * and the other one is the event's. The rules do not know which is which, so both ways are tried.
 */
describe.skipIf(!existsSync(FILE))('the worked pairs of complex subjects', () => {
  interface Example {
    readonly section: string
    readonly json: Record<string, { format: string; [member: string]: unknown }>
  }
  const { examples } = JSON.parse(readFileSync(FILE, 'utf8')) as { examples: Example[] }
  const pairs = examples.filter(({ section }) => section.startsWith('Subject Matching'))

  /** Is a token of this user, in this tenant, with this device and group, meant? */
  const isMeant = (event: Example | undefined, token: Example | undefined): boolean => {
    const [told, own] = [event?.json, token?.json]
    if (told === undefined || own === undefined) throw new Error('no such pair')
    const user = 'jdoe@example.com'
    const same = (member: string) => JSON.stringify(told[member]) === JSON.stringify(own[member])
    const rows = (['device', 'group'] as const).filter((member) => own[member] !== undefined)
    const known: Known = {
      named: rows
        .filter((member) => told[member] !== undefined && same(member))
        .map((member) => ({ member, subject: user })),
      have: rows.map((member) => ({ member, subject: user })),
    }
    const found = targets(told, known)
    if (typeof found === 'string') throw new Error(found)
    return found.some(([kind, id]) => kind === 'issuer' || id === user)
  }

  it.each([
    ['the tenant, and a person in it', 0, 1, true],
    ['a person with a device, and the person', 2, 3, true],
    ['a person in one group, and in another', 4, 5, false],
  ])('%s', (_, one, other, match) => {
    expect(isMeant(pairs[one], pairs[other])).toBe(match)
    expect(isMeant(pairs[other], pairs[one])).toBe(match)
  })
})
