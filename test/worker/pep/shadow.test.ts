import { describe, expect, it } from 'vitest'
import { lastOf, logOf, outcomeOf } from '../../support/worker/log.ts'
import { answerOf, event, sends } from '../../support/worker/upstream.ts'
import {
  call,
  inThisWorld,
  listed,
  newUser,
  post,
  seen,
  sql,
  token,
  toolCall,
} from '../../support/worker/world.ts'

inThisWorld()

const shadow = (columns: string, values: string) =>
  `INSERT INTO policies (tenant, id, mode, ${columns}) VALUES ('acme', 'watch', 'shadow', ${values})`

async function person() {
  const sub = await newUser()
  const bearer = await token({ sub })
  const said = async (tool = 'note', args: unknown = {}) => {
    const { code } = await call(tool, { token: bearer, args })
    const { decision, reason, would_be } = await lastOf(sub)
    return { code, decision, reason, would_be }
  }
  return { sub, bearer, said }
}

describe('a policy that only watches', () => {
  it('leaves no trace where it does not match', async () => {
    const { said } = await person()
    await sql(shadow('effect, tool', "'deny', 'read_all'"))
    expect(await said()).toMatchObject({ code: 'allowed', would_be: null })
  })

  it('as a deny: the call passes, and the record says it would not have', async () => {
    const { said } = await person()
    await sql(shadow('effect, tool', "'deny', 'note'"))
    expect(await said()).toEqual({
      code: 'allowed',
      decision: 'allow',
      reason: 'allowed',
      would_be: 'denied_by_policy',
    })
    await sql("UPDATE policies SET mode = 'enforce' WHERE id = 'watch'")
    expect(await said()).toEqual({
      code: 'denied_by_policy',
      decision: 'deny',
      reason: 'denied_by_policy',
      would_be: null,
    })
    expect(seen).toHaveLength(1)
  })

  it('as an allow: the call is denied, and the record says that it would have passed', async () => {
    const { said } = await person()
    await sql('DELETE FROM policies', shadow('effect, agent', "'allow', '*'"))
    expect(await said()).toMatchObject({
      code: 'not_allowed',
      reason: 'not_allowed',
      would_be: 'allowed',
    })
    expect(seen).toEqual([])
  })

  it('as an allow that asks for an approval', async () => {
    const { said } = await person()
    await sql('DELETE FROM policies', shadow('effect, agent, require_approval', "'allow', '*', 1"))
    expect(await said()).toMatchObject({ code: 'not_allowed', would_be: 'approval_required' })
  })

  it('as a deny that fails: it would have held', async () => {
    const { said } = await person()
    await sql(shadow('effect, condition', "'deny', 'args.no > 1'"))
    expect(await said()).toMatchObject({ code: 'allowed', would_be: 'denied_by_policy' })
    expect(await said('note', { no: 1 })).toMatchObject({ code: 'allowed', would_be: null })
  })

  it('what history refuses is refused, and would have been anyway', async () => {
    const { said } = await person()
    await sql(shadow('effect, agent', "'allow', '*'"))
    await said('read_all')
    expect(await said('export_all')).toMatchObject({
      code: 'denied_by_sequence',
      would_be: 'denied_by_sequence',
    })
  })

  it('hides nothing in a listing, and shows nothing', async () => {
    const { bearer } = await person()
    await sql(shadow('effect, tool', "'deny', 'note'"))
    expect(await listed({ token: bearer })).toContain('note')
    await sql(
      "DELETE FROM policies WHERE id = 'sales'",
      "UPDATE policies SET effect = 'allow', agent = '*'",
    )
    expect(await listed({ token: bearer })).toEqual([])
  })

  it('is among the matches of the record, as one that watches', async () => {
    const { sub, said } = await person()
    await sql(shadow('effect', "'deny'"))
    await said()
    expect((await lastOf(sub)).record.inputs.matches).toContainEqual({
      id: 'watch',
      effect: 'deny',
      pass: 'subject',
      mode: 'shadow',
      counted: true,
      needs: [],
      error: null,
    })
  })
})

describe('what would have been done with a result', () => {
  it.each(['json', 'stream'])('as %s is said with its outcome', async (form) => {
    const { sub, bearer } = await person()
    await sql(
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
      "INSERT INTO tool_results (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'note', '/id', 'customer')",
      shadow('effect, condition', "'deny', 'targets.exists(t, t.in_result)'"),
    )
    const answer = answerOf({ content: [], structuredContent: { id: 'c-1' } })
    if (form === 'json') sends(JSON.stringify(answer))
    else sends(event(answer), 'text/event-stream')
    const response = await post(toolCall('note'), { token: bearer })
    expect(await response.text()).toContain('"c-1"')
    expect(await outcomeOf(sub, (await lastOf(sub)).id)).toMatchObject({
      outcome: 'committed',
      detail: 'would be withheld: denied_by_policy',
    })
    expect(await logOf(sub)).toHaveLength(1)
    // Where nothing watches there is nothing to say.
    await sql("DELETE FROM policies WHERE id = 'watch'")
    await (await post(toolCall('note'), { token: bearer })).text()
    expect((await outcomeOf(sub, (await lastOf(sub)).id)).detail).not.toContain('withheld')
  })
})
