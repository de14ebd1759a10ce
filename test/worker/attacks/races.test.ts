import { createExecutionContext, runInDurableObject, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { app } from '../../../src/app.ts'
import type { AdmitRequest } from '../../../src/durable-objects/session-protocol.ts'
import {
  call,
  inThisWorld,
  ISSUER,
  newUser,
  ORIGIN,
  seen,
  sessionKey,
  sql,
  token,
  toolCall,
  verdict,
} from '../../support/worker/world.ts'

const REMOVE_SERVER =
  "DELETE FROM tool_labels; DELETE FROM tools; DELETE FROM servers WHERE name = 'crm'"

inThisWorld()

type Hook = (name: 'facts' | 'rows' | 'admit') => Promise<void>

/** The Worker with a hook that runs right after a reading of D1, or right before an admission. */
async function callHooked(hook: Hook, tool: string, bearer: string) {
  const DB = new Proxy(env.DB, {
    get: (target, name) =>
      name !== 'withSession'
        ? Reflect.get(target, name).bind(target)
        : () =>
            new Proxy(target.withSession('first-primary'), {
              get(session, member) {
                const real = Reflect.get(session, member).bind(session)
                if (member === 'batch') {
                  return async (statements: D1PreparedStatement[]) => {
                    const rows = await real(statements)
                    await hook('rows')
                    return rows
                  }
                }
                if (member !== 'prepare') return real
                return (text: string) => afterFirst(real(text), text.includes('triggers'), hook)
              },
            }),
  })
  const SESSIONS = new Proxy(env.SESSIONS, {
    get: (target, name) =>
      name !== 'get'
        ? Reflect.get(target, name).bind(target)
        : (id: DurableObjectId) => {
            const stub = target.get(id)
            return {
              admit: async (request: AdmitRequest) => {
                await hook('admit')
                return stub.admit(request)
              },
              noteDenial: (note: Parameters<typeof stub.noteDenial>[0]) => stub.noteDenial(note),
              settle: (outcome: Parameters<typeof stub.settle>[0]) => stub.settle(outcome),
            }
          },
  })
  const context = createExecutionContext()
  const request = new Request(`${ORIGIN}/crm/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
    body: toolCall(tool),
  })
  const response = await app.fetch(request, { ...env, DB, SESSIONS } as unknown as Env, context)
  const said = await verdict(response)
  await waitOnExecutionContext(context)
  return said
}

function afterFirst(
  statement: D1PreparedStatement,
  isFacts: boolean,
  hook: Hook,
): D1PreparedStatement {
  return new Proxy(statement, {
    get(target, name) {
      const real = Reflect.get(target, name)
      if (typeof real !== 'function') return real
      if (name === 'bind') {
        return (...values: unknown[]) => afterFirst(target.bind(...values), isFacts, hook)
      }
      if (name !== 'first' || !isFacts) return real.bind(target)
      return async () => {
        const row: unknown = await target.first()
        await hook('facts')
        return row
      }
    },
  })
}

const once = (at: string, change: () => Promise<void>): Hook => {
  let done = false
  return async (name) => {
    if (done || name !== at) return
    done = true
    await change()
  }
}

describe('rows that change while a call is decided', () => {
  const deny =
    "INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'flip', 'deny', 'note')"

  it.each(['rows', 'facts', 'admit'])('a deny after %s: decided by one state', async (at) => {
    const bearer = await token({ sub: await newUser() })
    const said = await callHooked(
      once(at, () => sql(deny)),
      'note',
      bearer,
    )
    // Rows are read before the facts, whose revision must then have noticed.
    const either = at === 'rows' ? ['denied_by_policy'] : ['allowed', 'denied_by_policy']
    expect(either).toContain(said.code)
    expect(seen).toHaveLength(said.code === 'allowed' ? 1 : 0)
    expect((await call('note', { token: bearer })).code).toBe('denied_by_policy')
  })

  it.each([
    ['the tenant is switched off', "UPDATE tenants SET active = 0 WHERE id = 'acme'", 'inactive'],
    ['the issuer is removed', `DELETE FROM issuers WHERE url = '${ISSUER}'`, 'token_invalid'],
    ['the server is switched off', "UPDATE servers SET active = 0 WHERE name = 'crm'", 'inactive'],
    ['the server is removed', REMOVE_SERVER, 'server_unknown'],
    [
      'the issuer is given another tenant claim',
      `UPDATE issuers SET tenant_claim = 'org' WHERE url = '${ISSUER}'`,
      'token_invalid',
    ],
  ])('%s between door one and door two', async (_, statement, code) => {
    const bearer = await token({ sub: await newUser() })
    const said = await callHooked(
      once('rows', () => sql(statement)),
      'note',
      bearer,
    )
    expect(said.code).toBe(code)
    expect(seen).toEqual([])
  })

  it.each<[string, string, string, string]>([
    [
      'an argument begins to name something',
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
      "INSERT INTO tool_arguments (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'note', '/id', 'customer'); UPDATE policies SET condition = 'targets.all(t, t.listed)'",
      'not_allowed',
    ],
    [
      'a call becomes one of another class',
      "INSERT INTO policies (tenant, id, effect, access) VALUES ('acme', 'no', 'deny', 'admin')",
      "INSERT INTO tool_access (tenant, server, tool, access, condition) VALUES ('acme', 'crm', 'note', 'admin', 'true')",
      'denied_by_policy',
    ],
    [
      'a call is given another label',
      "INSERT INTO policies (tenant, id, effect, label) VALUES ('acme', 'no', 'deny', 'source.x')",
      "INSERT INTO tool_labels (tenant, server, tool, label, condition) VALUES ('acme', 'crm', 'note', 'source.x', 'size(args) == 0')",
      'denied_by_policy',
    ],
    [
      'consent is asked for',
      '',
      "UPDATE servers SET consent_required = 1 WHERE name = 'crm'",
      'consent_required',
    ],
    [
      'observing ends',
      "UPDATE policies SET role = 'nobody'; UPDATE servers SET observe_until = (unixepoch() + 60) * 1000",
      'UPDATE servers SET observe_until = NULL',
      'not_allowed',
    ],
    [
      'a stronger login is asked for',
      '',
      "UPDATE policies SET require_acr = 'gold'",
      'insufficient_authentication',
    ],
  ])('%s between the rows and the facts', async (_, before, change, code) => {
    if (before !== '') await sql(...before.split('; '))
    const bearer = await token({ sub: await newUser() })
    const said = await callHooked(
      once('rows', () => sql(...change.split('; '))),
      'note',
      bearer,
    )
    expect(said.code).toBe(code)
    expect(seen).toEqual([])
  })

  it.each<[string, string]>([
    ['of a tool that begins to name things', 'tool_arguments'],
    ['of results that are looked at', 'tool_results'],
  ])('rows %s while the facts are read are of one state', async (_, table) => {
    await sql(
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
      "UPDATE policies SET condition = 'targets.all(t, t.listed)'",
    )
    const row = `INSERT INTO ${table} (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'note', '/id', 'customer')`
    const bearer = await token({ sub: await newUser() })
    const said = await callHooked(
      once('facts', () => sql(row)),
      'note',
      bearer,
    )
    expect(['allowed', 'not_allowed']).toContain(said.code)
    expect((await call('note', { token: bearer })).code).not.toBe('allowed')
  })

  it('rows that change at every single reading are a 503, and nothing is sent', async () => {
    const bearer = await token({ sub: await newUser() })
    const churn: Hook = async (name) => {
      if (name === 'rows') await sql("UPDATE servers SET title = title || 'x' WHERE name = 'crm'")
    }
    expect((await callHooked(churn, 'note', bearer)).code).toBe('facts_unavailable')
    expect(seen).toEqual([])
  })
})

describe('a call that was admitted and then not sent', () => {
  const statesAfter = async (change: () => Promise<void>) => {
    const sub = await newUser()
    // The first admission is answered with `rules_needed`, the second one is stored.
    let asked = 0
    const slow: Hook = async (name) => {
      if (name !== 'admit' || (asked += 1) !== 2) return
      await change()
      await new Promise((resolve) => setTimeout(resolve, 600))
    }
    const said = await callHooked(slow, 'delete_one', await token({ sub }))
    const states = await runInDurableObject(
      env.SESSIONS.getByName(await sessionKey(sub)),
      (_, { storage }) => storage.sql.exec('SELECT state FROM events ORDER BY sequence').toArray(),
    )
    return { code: said.code, first: states[0] }
  }

  it('because a policy forbids it meanwhile, is failed and gives its budget back', async () => {
    const said = await statesAfter(() =>
      sql("INSERT INTO policies (tenant, id, effect) VALUES ('acme', 'x', 'deny')"),
    )
    expect(said).toEqual({ code: 'denied_by_policy', first: { state: 'failed' } })
    expect(seen).toEqual([])
  })

  it.each([
    ['its issuer was removed', `DELETE FROM issuers WHERE url = '${ISSUER}'`, 'token_invalid'],
    ['its server was removed', REMOVE_SERVER, 'server_unknown'],
  ])('because %s meanwhile, is failed too', async (_, statement, code) => {
    const said = await statesAfter(() => sql(statement))
    expect(seen).toEqual([])
    expect(said).toEqual({ code, first: { state: 'failed' } })
  })
})
