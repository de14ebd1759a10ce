import { describe, expect, it } from 'vitest'
import { createSecrets, type SecretPurpose } from '../../src/secrets.ts'

const members = {
  tenant: 'acme',
  origin: 'https://login.example.com',
  client_id: 'sallyport',
  client_secret: 'hush-hush',
}
const use = { tenant: 'acme', origin: 'https://login.example.com' }

const environment: Record<string, unknown> = {
  INTROSPECTION_ACME: JSON.stringify(members),
  LOGIN_ACME: JSON.stringify({ ...members, client_secret: 'another' }),
  PUBLIC_ORIGIN: JSON.stringify(members),
  UPSTREAM_CRM: JSON.stringify(members),
  DB: { prepare: () => undefined },
  INTROSPECTION_BINDING: { get: () => JSON.stringify(members) },
  introspection_lower: JSON.stringify(members),
}
const secrets = createSecrets(environment)

const faultOf = (name: string, purpose: SecretPurpose = 'introspection', used = use): unknown => {
  const read = secrets.read(purpose, name, used)
  return read.ok ? 'read' : read.error
}

describe('a secret that a row names', () => {
  it('is read for its own tenant and its own origin', () => {
    const read = secrets.read('introspection', 'INTROSPECTION_ACME', use)
    expect(read).toEqual({
      ok: true,
      value: { client_id: 'sallyport', client_secret: 'hush-hush' },
    })
    expect(secrets.read('login', 'LOGIN_ACME', use)).toMatchObject({
      value: { client_secret: 'another' },
    })
  })

  it.each([
    ['PUBLIC_ORIGIN'],
    ['DB'],
    ['UPSTREAM_CRM'],
    ['LOGIN_ACME'],
    ['introspection_lower'],
    ['__proto__'],
    ['INTROSPECTION_acme'],
    ['INTROSPECTION_ACME '],
    [''],
  ])('%j is no name of a secret for introspection', (name) => {
    expect(faultOf(name)).toBe('the name is not one of a secret for this purpose')
  })

  it('of one purpose is of no use for another', () => {
    expect(faultOf('INTROSPECTION_ACME', 'login')).toBe(
      'the name is not one of a secret for this purpose',
    )
  })

  it.each([['INTROSPECTION_OTHER'], ['INTROSPECTION_BINDING']])('%s is no text', (name) => {
    expect(faultOf(name)).toBe('no secret has this name')
  })

  it.each([
    ['another tenant', { ...use, tenant: 'globex' }, 'the secret is for another tenant'],
    [
      'another host',
      { ...use, origin: 'https://evil.example' },
      'the secret is for another origin',
    ],
    [
      'another port',
      { ...use, origin: 'https://login.example.com:8443' },
      'the secret is for another origin',
    ],
    [
      'another scheme',
      { ...use, origin: 'http://login.example.com' },
      'the secret is for another origin',
    ],
  ])('is refused to %s', (_what, used, fault) => {
    expect(faultOf('INTROSPECTION_ACME', 'introspection', used)).toBe(fault)
  })

  it.each([
    ['no JSON', 'hush-hush'],
    ['no object', '["acme"]'],
    ['a member too few', JSON.stringify({ ...members, origin: undefined })],
    ['a member too many', JSON.stringify({ ...members, Origin: 'https://x.example' })],
    ['an empty member', JSON.stringify({ ...members, client_secret: '' })],
    ['a member that is no text', JSON.stringify({ ...members, client_id: 7 })],
    ['a member that is there twice', JSON.stringify(members).replace('{', '{"tenant":"globex",')],
    ['its members in a prototype', JSON.stringify({ __proto__: members })],
  ])('with %s is of no form, and nothing of it is told', (_what, text) => {
    const read = createSecrets({ INTROSPECTION_ACME: text }).read(
      'introspection',
      'INTROSPECTION_ACME',
      use,
    )
    expect(read).toEqual({ ok: false, error: 'the secret is not JSON of the right form' })
  })
})
