import { exports } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { inThisWorld, ISSUER, ORIGIN, RESOURCE } from '../../support/worker/world.ts'

inThisWorld()

describe('discovery', () => {
  it('names one resource per server, and only active issuers', async () => {
    const response = await fetchMetadata('crm')
    expect(response.status).toBe(200)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(await response.json()).toMatchObject({
      resource: RESOURCE,
      authorization_servers: [ISSUER],
      bearer_methods_supported: ['header'],
      scopes_supported: ['crm'],
    })
    expect((await fetchMetadata('nobody')).status).toBe(404)
  })

  const fetchMetadata = async (server: string) => {
    return exports.default.fetch(`${ORIGIN}/.well-known/oauth-protected-resource/${server}/mcp`)
  }
})
