import { describe, expect, it } from 'vitest'
import {
  call,
  inThisWorld,
  message,
  newUser,
  post,
  seen,
  sql,
  verdict,
} from '../../support/worker/world.ts'
import { by, codeOf, onlyRules, seedMail } from './second-server.ts'

inThisWorld()

const fanOut = (most: number) => ({
  id: 'fan-out',
  on_label: 'sink.message',
  type: 'value_count',
  rules: '["sink.message"]',
  timespan_s: 3_600,
  field: 'target',
  condition: `{"gt":${most}}`,
})

const spend = {
  id: 'spend',
  on_label: 'sink.money',
  type: 'value_sum',
  rules: '["sink.money"]',
  timespan_s: 86_400,
  field: 'amount',
  condition: '{"gt":1000}',
} as const

/** A call whose arguments are sent letter for letter. */
const rawArguments = async (sub: string, tool: string, text: string) => {
  const body = message('tools/call', { name: tool, arguments: 'ARGUMENTS' }).replace(
    '"ARGUMENTS"',
    text,
  )
  return (await verdict(await post(body, await by(sub)))).code
}

const send = (sub: string, to: unknown) => codeOf(sub, 'send', { to })
const deep = (value: unknown, depth: number): unknown =>
  depth === 0 ? value : [deep(value, depth - 1)]

describe('more targets than a rule allows pass in no form', () => {
  const three = ['a@x.example', 'b@x.example', 'c@x.example']

  it.each<[string, unknown]>([
    ['a list', three],
    ['lists in lists', [[three[0]], [[three[1]], [[[three[2]]]]]]],
    ['an object', { one: three[0], two: three[1], three: three[2] }],
    ['the values of objects in a list', three.map((to) => ({ to }))],
    ['a text that is a list', JSON.stringify(three)],
    ['a text that is a list in single quotes', "['a@x.example', 'b@x.example', 'c@x.example']"],
    ['a text that is a list, in a list', [JSON.stringify(three)]],
    [
      'a text that is a list of texts that are lists',
      JSON.stringify(three.map((to) => JSON.stringify([to]))),
    ],
    ['a list in which one comes many times', [...three, ...three, three[0]]],
    ['a list under white space', `\n  ${JSON.stringify(three)}\t`],
    ['a list deeper than is read', deep(three[0], 40)],
    ['a hundred thousand', Array.from({ length: 100_000 }, (_, n) => `${n}@x.example`)],
    ['a hundred thousand times the same', Array.from({ length: 100_000 }, () => three[0])],
    [
      'a hundred thousand in a text',
      JSON.stringify(Array.from({ length: 9_000 }, (_, n) => `${n}@x`)),
    ],
  ])('as %s', async (_, to) => {
    await seedMail()
    await onlyRules(fanOut(2))
    const sub = await newUser()
    expect(await send(sub, to)).toBe('denied_by_sequence')
    expect(seen).toEqual([])
    // What was refused used nothing up.
    expect(await send(sub, [three[0], three[1]])).toBe('allowed')
  })

  it('one after the other, each written as something else', async () => {
    await seedMail()
    await onlyRules(fanOut(2))
    const sub = await newUser()
    expect(await send(sub, three[0])).toBe('allowed')
    expect(await send(sub, [three[1]])).toBe('allowed')
    expect(await send(sub, { to: three[2] })).toBe('denied_by_sequence')
    expect(await send(sub, `["${three[2]}"]`)).toBe('denied_by_sequence')
    expect(await send(sub, [three[0], three[2]])).toBe('denied_by_sequence')
    expect(await send(sub, { nested: [three[0], { also: three[1] }] })).toBe('allowed')
  })

  it.each<[string, string]>([
    ['a letter of another script', 'а@x.example'],
    ['full-width letters', 'ａ@x.example'],
    ['a letter that is not seen', 'a\u200b@x.example'],
    ['a soft hyphen', 'a\u00ad@x.example'],
    ['a mark that combines', 'a\u0301@x.example'],
    ['a name before it', 'Bob <a@x.example>'],
    ['a dot at its end', 'a@x.example.'],
    ['a letter that is written from right to left', 'a\u202e@x.example'],
  ])('a target that only looks the same, by %s, is one more', async (_, to) => {
    await seedMail()
    await onlyRules(fanOut(1))
    const sub = await newUser()
    expect(await send(sub, 'a@x.example')).toBe('allowed')
    expect(await send(sub, to)).toBe('denied_by_sequence')
  })

  it.each<[string, string]>([
    ['capitals', 'A@X.EXAMPLE'],
    ['white space around it', '  a@x.example\n'],
    ['a list of one', '["a@x.example"]'],
  ])('a target that is the same, in %s, is none more', async (_, to) => {
    await seedMail()
    await onlyRules(fanOut(1))
    const sub = await newUser()
    expect(await send(sub, 'a@x.example')).toBe('allowed')
    expect(await send(sub, to)).toBe('allowed')
    expect(await send(sub, 'b@x.example')).toBe('denied_by_sequence')
  })

  it('a text of many letters, or of half a list, is one target', async () => {
    await seedMail()
    await onlyRules(fanOut(1))
    const sub = await newUser()
    expect(await send(sub, `[${'a'.repeat(150_000)}`)).toBe('allowed')
    expect(await send(sub, '["a@x.example", "b@x.example"')).toBe('denied_by_sequence')
  })

  it('arguments too deep or too wide to be read count for every rule that would look at them', async () => {
    await seedMail()
    await onlyRules(fanOut(200), spend, {
      id: 'by-target',
      on_label: 'sink.message',
      type: 'event_count',
      rules: '["sink.message"]',
      group_by: '["target"]',
      timespan_s: 600,
      condition: '{"gt":50}',
    })
    const sub = await newUser()
    expect(await codeOf(sub, 'send', { to: 'a@x.example', more: deep('x', 40) })).toBe(
      'denied_by_sequence',
    )
    expect(await codeOf(sub, 'pay', { amount: 1, more: deep('x', 40) })).toBe('denied_by_sequence')
    expect(await codeOf(sub, 'pay', { amount: 1 })).toBe('allowed')
  })

  it('a member that every object has is no target, and none is hidden behind one', async () => {
    await seedMail()
    await sql("UPDATE tool_arguments SET pointer = '/to/list' WHERE tool = 'send'")
    await onlyRules(fanOut(2))
    const sub = await newUser()
    const hidden = `{"to":{"__proto__":{"list":${JSON.stringify(three)}},"list":${JSON.stringify(three)}}}`
    expect(await rawArguments(sub, 'send', hidden)).not.toBe('allowed')
    expect(await rawArguments(sub, 'send', `{"to":[{"list":${JSON.stringify(three)}}]}`)).toBe(
      'denied_by_sequence',
    )
    expect(await rawArguments(sub, 'send', `{"to":${JSON.stringify(JSON.stringify(three))}}`)).toBe(
      'denied_by_sequence',
    )
    expect(seen).toEqual([])
  })
})

describe('an amount never makes room', () => {
  it.each<[string, string]>([
    ['a negative number', '-900'],
    ['a negative text', '"-900"'],
    ['a number with an exponent', '9e2'],
    ['a text with an exponent', '"9e2"'],
    ['a list that would cancel itself out', '[450, -450]'],
    ['a text that is such a list', '"[450, -450]"'],
    ['hexadecimal digits', '"0x384"'],
    ['white space around it', '" 900\\n"'],
  ])('%s counts as its size', async (_, amount) => {
    await seedMail()
    await onlyRules(spend)
    const sub = await newUser()
    expect(await rawArguments(sub, 'pay', `{"amount":${amount}}`)).toBe('allowed')
    expect(await codeOf(sub, 'pay', { amount: 101 })).toBe('denied_by_sequence')
    expect(await codeOf(sub, 'pay', { amount: 100 })).toBe('allowed')
  })

  it.each<[string, string]>([
    ['more than any number', '1e400'],
    ['less than any number', '-1e400'],
    ['a text that says infinity', '"Infinity"'],
    ['a text that says it is none', '"NaN"'],
    ['full-width digits', '"１００"'],
    ['digits of another script', '"١٠٠"'],
    ['a comma', '"1,000"'],
    ['an underscore', '"1_000"'],
    ['a currency', '"EUR 10"'],
    ['words', '"all of it"'],
    ['true', 'true'],
    ['an object with a currency', '{"value":10,"currency":"EUR"}'],
    ['a list in which one is no number', '[1, "x"]'],
    ['more digits than a double holds', '"1e309"'],
    ['two signs', '"--5"'],
  ])('%s is without bound', async (_, amount) => {
    await seedMail()
    await onlyRules(spend)
    const sub = await newUser()
    expect(await rawArguments(sub, 'pay', `{"amount":${amount}}`)).not.toBe('allowed')
    expect(seen).toEqual([])
    // Refused, so it left nothing.
    expect(await codeOf(sub, 'pay', { amount: 1_000 })).toBe('allowed')
  })

  it('one that is without bound and was only audited stays without bound for the others', async () => {
    await seedMail()
    await onlyRules({ ...spend, effect: 'audit' })
    const sub = await newUser()
    expect(await codeOf(sub, 'pay', { amount: 'all' })).toBe('allowed')
    await onlyRules(spend)
    expect(await codeOf(sub, 'pay', { amount: 1 })).toBe('denied_by_sequence')
  })

  it('minus nothing, nothing and no amount at all add nothing, and free nothing', async () => {
    await seedMail()
    await onlyRules(spend)
    const sub = await newUser()
    expect(await codeOf(sub, 'pay', { amount: 1_000 })).toBe('allowed')
    for (const amount of ['-0', '0', '-0.0', '"-0"', '"0e5"', 'null', '[]', '""', '{}']) {
      expect(await rawArguments(sub, 'pay', `{"amount":${amount}}`)).toBe('allowed')
    }
    for (const amount of ['1', '-1', '"-1"', '0.0000001']) {
      expect(await rawArguments(sub, 'pay', `{"amount":${amount}}`)).toBe('denied_by_sequence')
    }
  })

  it('a thousand crumbs are what they add up to', async () => {
    await seedMail()
    await onlyRules({ ...spend, condition: '{"gt":1}' })
    const sub = await newUser()
    const codes: string[] = []
    for (let n = 0; n < 12; n += 1) codes.push(await codeOf(sub, 'pay', { amount: 0.1 }))
    const passed = codes.filter((code) => code === 'allowed').length
    // 0.1 has no exact double: a sum may refuse one early, and never one late.
    expect([9, 10]).toContain(passed)
  })

  it('an amount that no double holds exactly does not slip below the bound', async () => {
    await seedMail()
    await onlyRules({ ...spend, condition: '{"gte":9007199254740993}' })
    const sub = await newUser()
    expect(await rawArguments(sub, 'pay', '{"amount":9007199254740993}')).toBe('denied_by_sequence')
    expect(await rawArguments(sub, 'pay', '{"amount":"9007199254740993"}')).toBe(
      'denied_by_sequence',
    )
  })
})

describe('a budget of each key, asked for by other spellings of the key', () => {
  const byTarget = {
    id: 'twice-each',
    on_label: 'sink.message',
    type: 'event_count',
    rules: '["sink.message"]',
    group_by: '["target"]',
    timespan_s: 600,
    condition: '{"gt":2}',
  } as const

  it('capitals, white space and lists are the same key', async () => {
    await seedMail()
    await onlyRules(byTarget)
    const sub = await newUser()
    const codes: string[] = []
    for (const to of [
      'a@x.example',
      'A@X.example',
      ' a@x.example ',
      ['a@x.example'],
      '["a@x.example"]',
    ]) {
      codes.push(await send(sub, to))
    }
    expect(codes.filter((code) => code === 'allowed')).toHaveLength(2)
  })

  it.each<[string, unknown]>([
    ['no key', {}],
    ['an empty key', { to: '' }],
    ['a key that is nothing', { to: null }],
    ['more keys than are told apart', { to: Array.from({ length: 65 }, (_, n) => `${n}@x`) }],
  ])('a call with %s is taken to be the worst', async (_, args) => {
    await seedMail()
    await onlyRules(byTarget)
    expect(await codeOf(await newUser(), 'send', args)).toBe('denied_by_sequence')
  })

  it('two keys in one call: both are asked, both are spent', async () => {
    await seedMail()
    await onlyRules(byTarget)
    const sub = await newUser()
    expect(await send(sub, ['a@x', 'b@x'])).toBe('allowed')
    expect(await send(sub, ['a@x', 'c@x'])).toBe('allowed')
    expect(await send(sub, ['d@x', 'a@x'])).toBe('denied_by_sequence')
    expect(await send(sub, ['b@x', 'd@x'])).toBe('allowed')
    expect(await send(sub, 'b@x')).toBe('denied_by_sequence')
  })

  it(
    'so many keys that the first had to make room: it is not asked anew',
    { timeout: 60_000 },
    async () => {
      await seedMail()
      await onlyRules(byTarget)
      const sub = await newUser()
      expect(await send(sub, 'a@x')).toBe('allowed')
      expect(await send(sub, 'a@x')).toBe('allowed')
      for (let n = 0; n < 1_050; n += 64) {
        await send(
          sub,
          Array.from({ length: 64 }, (_, one) => `key-${n + one}@x`),
        )
      }
      expect(await send(sub, 'a@x')).toBe('denied_by_sequence')
    },
  )
})

describe('two spellings of one name of a tool', () => {
  it.each([
    'READ_ALL',
    'Read_All',
    ' read_all',
    'read_all ',
    'read_all\u200b',
    'ｒead_all',
    'read_all\u0000',
    'crm/read_all',
    'read%5Fall',
  ])('%j is no way to read without the label', async (name) => {
    const sub = await newUser()
    expect((await call(name, await by(sub))).code).not.toBe('allowed')
    expect(seen).toEqual([])
  })

  it('where a pattern lets other spellings through, they carry what the pattern says', async () => {
    await sql(
      "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', '*', 'read', 0)",
    )
    const sub = await newUser()
    expect(await codeOf(sub, 'READ_ALL')).toBe('allowed')
    await onlyRules({
      id: 'r',
      on_label: 'sink.export',
      type: 'temporal',
      rules: '["source.confidential"]',
    })
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })
})
