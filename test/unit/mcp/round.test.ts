import { describe, expect, it } from 'vitest'
import {
  MAX_ROUND_MS,
  asResumed,
  readInputs,
  readRound,
  writeRound,
  type Bound,
} from '../../../src/mcp/round.ts'

const BOUND: Bound = {
  actorKey: '["c",null]',
  server: 's',
  method: 'tools/call',
  entry: 't',
  argumentsDigest: 'd',
}
const ROUND = { state: 'x', asked: new Map([['k', 'elicitation/create' as const]]), task: 't-1' }

describe('the state of a round', () => {
  it('is read as it was written', () => {
    for (const round of [ROUND, { ...ROUND, task: null }]) {
      expect(readRound(writeRound(BOUND, round, 0), BOUND, 1)).toEqual(round)
    }
  })

  it('is nothing that does not say under which task it began', () => {
    const fields = JSON.parse(writeRound(BOUND, ROUND, 0)) as unknown[]
    expect(readRound(JSON.stringify(fields.slice(0, -1)), BOUND, 1)).toBeNull()
  })

  it('says nothing to another call', () => {
    const text = writeRound(BOUND, ROUND, 0)
    for (const name of Object.keys(BOUND)) {
      expect(readRound(text, { ...BOUND, [name]: 'other' } as Bound, 1), name).toBeNull()
    }
  })

  it('says nothing when it is old', () => {
    const text = writeRound(BOUND, ROUND, 0)
    expect(readRound(text, BOUND, MAX_ROUND_MS)).toEqual(ROUND)
    expect(readRound(text, BOUND, MAX_ROUND_MS + 1)).toBeNull()
  })

  it.each(['', '{}', '[]', 'null', '["["]', '[1,2,3,4,5,6,7,8]'])('is not %s', (text) => {
    expect(readRound(text, BOUND, 0)).toBeNull()
  })
})

describe('what a client says to it', () => {
  const { asked } = ROUND

  it('is of the kind that was asked for', () => {
    expect(readInputs({ k: { role: 'user' }, other: 1 }, asked)).toEqual([
      { key: 'k', method: 'elicitation/create', answer: { role: 'user' } },
    ])
    expect(readInputs({ k: 'text' }, asked)).toBeNull()
  })

  it.each([
    [{ action: 'decline' }, ['elicitation/create']],
    [{ role: 'assistant' }, ['sampling/createMessage']],
    [{ roots: [] }, ['roots/list']],
    [{}, ['sampling/createMessage', 'elicitation/create', 'roots/list']],
    [{ roots: [], action: '' }, ['elicitation/create', 'roots/list']],
  ])('without a state is all that it could be by its shape: %o', (answer, methods) => {
    const inputs = readInputs({ k: answer }, null)
    expect(inputs?.map(({ method }) => method)).toEqual(methods)
  })
})

describe('the message as the server gets it', () => {
  it('has its own state and the answers that it asked for', () => {
    const message = {
      id: 1,
      params: { a: 1, requestState: 'ours', inputResponses: { k: {}, o: {} } },
    }
    const inputs = [{ key: 'k', method: 'roots/list' as const, answer: {} }]
    expect(asResumed(message, 'theirs', inputs)).toEqual({
      id: 1,
      params: { a: 1, requestState: 'theirs', inputResponses: { k: {} } },
    })
  })

  it('has no answers where the client sent none', () => {
    expect(asResumed({ params: { requestState: 'ours' } }, 'theirs', [])).toEqual({
      params: { requestState: 'theirs' },
    })
  })
})
