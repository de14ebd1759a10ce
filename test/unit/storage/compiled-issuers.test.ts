import { describe, expect, it } from 'vitest'
import { compileIssuers } from '../../../src/storage/compiled-issuers.ts'
import { localTrust } from '../../../src/storage/compiled.ts'

type Row = Parameters<typeof compileIssuers>[0][number]

const ROW: Row = {
  tenant: 'acme',
  url: 'https://login.example.com',
  jwksUri: 'https://login.example.com/keys',
  algorithms: '["ES256"]',
  tenantClaim: null,
  maxLifetimeSeconds: 3600,
  active: true,
  demo: false,
  kind: 'oauth',
  audience: null,
  introspection: 'never',
  introspectionUrl: 'https://login.example.com/introspect',
  introspectionSecret: 'INTROSPECTION_ACME',
  loginClient: null,
  loginSecret: null,
  opensTasks: false,
  tokenUrl: null,
  revocationUrl: null,
  statusList: null,
}
const PUBLIC = { allowLoopback: false, ownHosts: new Set(['mcp.example.com']) }

const compile = (change: Partial<Row>) => {
  const row = { ...ROW, ...change }
  const { byUrl, problems } = compileIssuers([row], PUBLIC)
  return { issuer: byUrl.get(row.url), problems }
}

describe('a compiled issuer', () => {
  it.each([
    ['never', null],
    ['opaque', { opaque: true, jwt: false }],
    ['jwt', { opaque: false, jwt: true }],
    ['always', { opaque: true, jwt: true }],
  ] as const)('is asked %s', (introspection, asked) => {
    const { issuer } = compile({ introspection })
    const where = { url: ROW.introspectionUrl, secret: ROW.introspectionSecret }
    expect(issuer?.introspection).toEqual(asked === null ? null : { ...where, ...asked })
  })

  it('may be a trust domain', () => {
    const { issuer, problems } = compile({ kind: 'workload', url: 'spiffe://corp.example' })
    expect(problems).toEqual([])
    expect(issuer).toMatchObject({ kind: 'workload', url: 'spiffe://corp.example' })
  })

  it('says how people log in', () => {
    expect(compile({ loginClient: 'pages' }).issuer?.login).toEqual({
      client: 'pages',
      secret: null,
    })
    expect(compile({}).issuer?.login).toBeNull()
  })

  it.each([
    ['a trust domain with a path', { kind: 'workload', url: 'spiffe://corp.example/a' }],
    ['a trust domain for people', { url: 'spiffe://corp.example' }],
    ['keys inside', { kind: 'workload', url: 'spiffe://a', jwksUri: 'https://10.0.0.1/keys' }],
    ['questions to an address inside', asking('https://192.168.0.1/introspect')],
    ['questions to this machine', asking('http://127.0.0.1:8080/introspect')],
    ['questions to ourselves', asking('https://mcp.example.com/introspect')],
    ['questions with user information', asking('https://a:b@login.example.com/introspect')],
  ] as [string, Partial<Row>][])('is none with %s', (_what, change) => {
    const { issuer, problems } = compile(change)
    expect(issuer).toBeUndefined()
    expect(problems).toHaveLength(1)
  })
})

describe('behind a public origin', () => {
  it.each([
    ['a demo issuer', { demo: true }],
    ['an introspection endpoint on this machine', asking('http://127.0.0.1/introspect')],
  ] as [string, Partial<Row>][])('%s stops every call', (_what, change) => {
    expect(localTrust([{ ...ROW, ...change }], [])).toContain('is for a local demo only')
  })
})

function asking(introspectionUrl: string): Partial<Row> {
  return { introspection: 'opaque', introspectionUrl }
}
