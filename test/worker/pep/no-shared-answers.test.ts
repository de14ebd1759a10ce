import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../support/property-runs.ts'
import { serve } from '../../support/worker/upstream.ts'
import {
  forgetForGood,
  inThisWorld,
  ISSUER,
  post,
  sql,
  token,
  toolCall,
  verdict,
} from '../../support/worker/world.ts'

inThisWorld()

const USERS = ['ann', 'ben', 'cho', 'dia', 'eve', 'fay']
const CLIENTS = ['acme-agent', 'other-agent']
const IDS = Array.from({ length: 10 }, (_, n) => `c-${n}`)
const CLASSES = ['public', 'internal', 'confidential', 'restricted'] as const
const AT_ONCE = 24

/** What the rows of one round say. */
interface Rows {
  readonly resources: ReadonlyMap<string, { owner: string | null; sensitivity: string }>
  readonly sales: ReadonlySet<string>
  /** `user client`. */
  readonly consents: ReadonlySet<string>
}

interface Ask {
  readonly user: string
  readonly client: string
  /** As an argument, or as what a search finds. */
  readonly tool: 'note' | 'read_all'
  readonly id: string
}

/** Repeatable by its seed (Mulberry32). */
function dice(seed: number) {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const pick = <T>(values: readonly T[]): T => values[Math.floor(next() * values.length)] as T
  return { pick, chance: (p: number) => next() < p }
}

function throwRows({ pick, chance }: ReturnType<typeof dice>): Rows {
  const listed = IDS.filter(() => chance(0.8))
  const pairs = USERS.flatMap((user) => CLIENTS.map((client) => `${user} ${client}`))
  return {
    resources: new Map(
      listed.map((id) => [
        id,
        { owner: chance(0.8) ? pick(USERS) : null, sensitivity: pick(CLASSES) },
      ]),
    ),
    sales: new Set(USERS.filter(() => chance(0.8))),
    consents: new Set(pairs.filter(() => chance(0.8))),
  }
}

async function store({ resources, sales, consents }: Rows): Promise<void> {
  await forgetForGood('consents')
  await sql(
    'DELETE FROM resources',
    "DELETE FROM role_assignments WHERE holder <> 'alice'",
    ...[...resources].map(([id, { owner, sensitivity }]) => {
      const holder = owner === null ? 'NULL, NULL' : `'${owner}', '${ISSUER}'`
      return `INSERT INTO resources (tenant, type, id, owner, owner_issuer, sensitivity) VALUES ('acme', 'customer', '${id}', ${holder}, '${sensitivity}')`
    }),
    ...[...sales].map(
      (user) =>
        `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('acme', '${ISSUER}', 'user', '${user}', 'sales')`,
    ),
    ...[...consents].map((pair) => {
      const [user, client] = pair.split(' ')
      return `INSERT INTO consents (tenant, id, issuer, subject, client, server, access) VALUES
        ('acme', 'w ${pair}', '${ISSUER}', '${user}', '${client}', 'crm', 'write'),
        ('acme', 'r ${pair}', '${ISSUER}', '${user}', '${client}', 'crm', 'read')`
    }),
  )
}

/** Written down a second time, from the rows alone. */
function expected({ resources, sales, consents }: Rows, { user, client, tool, id }: Ask): string {
  if (!consents.has(`${user} ${client}`)) return 'consent_required'
  if (!sales.has(user)) return 'not_allowed'
  const row = resources.get(id)
  const mayTouch = row?.owner === user || (row?.sensitivity === 'public' && client === 'acme-agent')
  if (mayTouch) return 'allowed'
  return tool === 'note' ? 'not_allowed' : 'result_withheld'
}

describe('many people at once', { timeout: 600_000 }, () => {
  it('each is answered by what the rows say of them, and of nobody else', async () => {
    await sql(
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
      "INSERT INTO tool_arguments (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'note', '/id', 'customer')",
      "INSERT INTO tool_results (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'read_all', '/id', 'customer')",
      "UPDATE servers SET consent_required = 1 WHERE name = 'crm'",
      'UPDATE policies SET condition = \'targets.all(t, t.owned || (t.sensitivity == "public" && client.id == "acme-agent"))\'',
      'UPDATE tenants SET actor_calls_per_minute = 1000000000',
    )
    serve({
      result: (params) => ({
        content: [],
        structuredContent: { id: (params['arguments'] as { find: string }).find },
      }),
    })
    const { numRuns, seed } = propertyRuns(300, env)
    const rolled = dice(seed)
    const bearers = new Map<string, string>()
    for (const user of USERS) {
      for (const client of CLIENTS) {
        bearers.set(`${user} ${client}`, await token({ sub: user, client }))
      }
    }
    const wrong: string[] = []
    for (let round = 0; round < numRuns; round += 1) {
      const rows = throwRows(rolled)
      await store(rows)
      const asks = Array.from({ length: AT_ONCE }, (): Ask => ({
        user: rolled.pick(USERS),
        client: rolled.pick(CLIENTS),
        tool: rolled.pick(['note', 'read_all']),
        id: rolled.pick(IDS),
      }))
      await Promise.all(
        asks.map(async (ask) => {
          const { user, client, tool, id } = ask
          const args = tool === 'note' ? { id, find: id } : { find: id }
          const bearer = bearers.get(`${user} ${client}`) ?? ''
          const response = await post(toolCall(tool, args), { token: bearer })
          const text = await response.clone().text()
          const { code } = await verdict(response)
          const found = /"structuredContent":\{"id":"(c-\d+)"\}/.exec(text)?.[1] ?? null
          const right = expected(rows, ask)
          if (code !== right || found !== (right === 'allowed' ? id : null)) {
            wrong.push(`${round}: ${JSON.stringify(ask)}: ${code} ${found}, not ${right}`)
          }
        }),
      )
    }
    expect(wrong).toEqual([])
  })
})
