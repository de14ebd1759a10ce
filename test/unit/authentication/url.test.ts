import { describe, expect, it } from 'vitest'
import { trustedUrl } from '../../../src/authentication/url.ts'

const rules = {
  allowLoopback: false,
  ownHosts: new Set(['mcp.example.com', 'alias.example.com:8443']),
}
const local = { allowLoopback: true, ownHosts: new Set(['127.0.0.1:8787']) }

describe('behind a public origin', () => {
  it.each([
    ['https://api.example.org/mcp?x=1', 'https://api.example.org/mcp?x=1'],
    ['https://api.example.org./mcp', 'https://api.example.org/mcp'],
    ['https://8.8.8.8/', 'https://8.8.8.8/'],
    ['https://172.32.0.1/', 'https://172.32.0.1/'],
    ['https://100.128.0.1/', 'https://100.128.0.1/'],
    ['https://[2606:4700::1111]/', 'https://[2606:4700::1111]/'],
    ['https://api.example.org:8443/', 'https://api.example.org:8443/'],
  ])('%s is called', (text, href) => {
    const url = trustedUrl(text, rules)
    expect(url.ok && url.value.href).toBe(href)
  })

  it.each([
    'http://api.example.org/',
    'ftp://api.example.org/',
    'https:api.example.org',
    'https:///api.example.org',
    '//api.example.org/',
    'api.example.org',
    '',
    'https://user:secret-password@api.example.org/',
    'https://user@api.example.org/',
    'https://@api.example.org/',
    'https://api.example.org/#x',
    'https://api.example.org/#',
    ' https://api.example.org/',
    'https://api.example.org/\n',
    'https://api.exa\tmple.org/',
    'https:\\\\api.example.org/',
    'https://api.example.org\\@evil.example/',
    'https://localhost/',
    'https://localhost./',
    'https://x.localhost/',
    'https://127.0.0.1/',
    'https://127.0.0.1./',
    'https://127.1/',
    'https://0x7f000001/',
    'https://2130706433/',
    'https://0177.0.0.1/',
    'https://0.0.0.0/',
    'https://10.1.2.3/',
    'https://100.64.0.1/',
    'https://100.127.255.255/',
    'https://169.254.169.254/latest/meta-data',
    'https://172.16.0.1/',
    'https://172.31.255.255/',
    'https://192.168.1.1/',
    'https://192.0.2.1/',
    'https://198.19.0.1/',
    'https://224.0.0.1/',
    'https://255.255.255.255/',
    'https://[::]/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://[::ffff:8.8.8.8]/',
    'https://[::127.0.0.1]/',
    'https://[64:ff9b::10.0.0.1]/',
    'https://[2002:7f00:1::]/',
    'https://[2001::1]/',
    'https://[2001:db8::1]/',
    'https://[fc00::1]/',
    'https://[fd12:3456::1]/',
    'https://[fe80::1]/',
    'https://[fec0::1]/',
    'https://[ff02::1]/',
    'https://[3fff::1]/',
    'https://intranet/',
    'https://metadata.google.internal/',
    'https://printer.local/',
    'https://mcp.example.com/files/mcp',
    'https://MCP.example.com./',
    'https://mcp.example.com:444/',
    'https://alias.example.com/',
    'https://api.example.org../',
  ])('`%s` is not called', (text) => {
    const url = trustedUrl(text, rules)
    expect(url.ok).toBe(false)
    expect(JSON.stringify(url)).not.toContain('secret-password')
  })
})

describe('on a developer machine', () => {
  it.each(['http://127.0.0.1:8788/jwks.json', 'http://localhost:8789/mcp', 'http://[::1]:8789/'])(
    '%s is called',
    (text) => {
      expect(trustedUrl(text, local).ok).toBe(true)
    },
  )

  it.each([
    'http://127.0.0.1:8787/demo/mcp',
    'http://localhost:8787/demo/mcp',
    'http://api.example.org/',
    'http://10.0.0.1/',
    'http://169.254.169.254/',
    'http://[::ffff:127.0.0.1]:8789/',
  ])('%s is not called', (text) => {
    expect(trustedUrl(text, local).ok).toBe(false)
  })
})
