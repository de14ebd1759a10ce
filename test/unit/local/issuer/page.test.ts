import { expect, test } from 'vitest'
import { consentPage, contentSecurityPolicy } from '../../../../local/issuer/page.ts'

const ATTACK = '"><script>alert(1)</script>'

test('nothing that a client sends becomes markup', async () => {
  const page = String(
    await consentPage({
      clientId: ATTACK,
      clientName: ATTACK,
      redirectUri: 'https://app.example/callback',
      resource: ATTACK,
      scopes: [ATTACK],
      parameters: { state: ATTACK },
    }),
  )
  expect(page).not.toContain('<script')
  expect(page.split('&lt;script&gt;')).toHaveLength(6)
  expect(page).toContain('<strong>app.example</strong>')
})

test('the policy forbids scripts and frames and lets the form lead back to the client', () => {
  expect(contentSecurityPolicy('http://127.0.0.1:4711/callback')).toBe(
    `default-src 'none'; style-src 'self'; form-action 'self' http://127.0.0.1:4711; ` +
      `base-uri 'none'; frame-ancestors 'none'`,
  )
  expect(contentSecurityPolicy('com.example.app:/callback')).toContain(`'self' com.example.app:;`)
})
