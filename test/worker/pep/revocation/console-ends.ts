import { administrator, CERTS, TEAM } from '../../../support/worker/access.ts'
import { asking, roomOf } from '../../../support/worker/console.ts'
import { formIn } from '../../../support/worker/pages.ts'
import { sql } from '../../../support/worker/world.ts'
import { lifted, NAMED, type End } from './ends.ts'
import type { Lane } from './lanes.ts'

/** What an administrator of the lane revokes on a page. */

const applicationOf = ({ tenant }: Lane): string => tenant.padEnd(64, '-')
const administratorOf = ({ tenant }: Lane): string => `carol@${tenant}.example`

export const withAdministrator = (lane: Lane): Promise<void> =>
  sql(
    `INSERT INTO issuers (tenant, url, jwks_uri, algorithms, kind, audience, max_lifetime_s)
     VALUES ('${lane.tenant}', '${TEAM}', '${CERTS}', '["RS256"]', 'access', '${applicationOf(lane)}', 86400)`,
    `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role)
     VALUES ('${lane.tenant}', '${TEAM}', 'user', '${administratorOf(lane)}', 'administrator')`,
  )

export const REVOKED_ON_THE_PAGE: readonly End[] = NAMED.map((one) => ({
  ...one,
  plot: async (person) => {
    const { lane } = person
    const room = roomOf(lane.server)
    const browser = await administrator({
      aud: [applicationOf(lane)],
      email: administratorOf(lane),
    })
    const issuer = one.ofIssuer ? lane.issuer : '*'
    const page = await browser.get(asking(one.kind, await one.idOf(person), issuer, room))
    const form = formIn(page, `${room}/revoke`)
    const commit = async () => {
      const { status, text } = await browser.post(`${room}/revoke`, { ...form, reason: 'r' })
      if (status !== 303) throw new Error(`${status} ${text}`)
    }
    return { shown: await one.show(person), commit, lift: () => lifted(person) }
  },
}))
