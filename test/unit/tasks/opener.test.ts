import { describe, expect, it } from 'vitest'
import {
  actsUnder,
  grantsFor,
  mayEndDeclared,
  openerKeys,
  withinGrant,
  type Grant,
  type OpenerClaims,
  type TaskActor,
} from '../../../src/tasks/opener.ts'

const claims = (more: Partial<OpenerClaims> = {}): OpenerClaims => ({
  tenant: 'acme',
  issuer: 'https://issuer.example',
  subject: 'desk',
  client: 'desk',
  agent: null,
  actorChain: [],
  ...more,
})

const grant = (more: Partial<Grant> = {}): Grant => ({
  kind: 'client',
  client: '*',
  through: null,
  forOthers: true,
  mayApprove: false,
  maxLifetimeSeconds: 100,
  ...more,
})

const actor: TaskActor = {
  issuer: 'https://issuer.example',
  subject: 'alice',
  client: 'app',
  agent: null,
}
const alice = claims({ subject: 'alice', client: 'portal' })

describe('as what a token opens', () => {
  it.each<[string, Partial<OpenerClaims>, string[]]>([
    ['a client for itself', {}, ['client desk']],
    ['a person through a client', { subject: 'alice' }, ['user alice', 'client desk']],
    ['an agent, and neither of those', { subject: 'alice', agent: 'bot' }, ['agent bot']],
    ['a workload behind an agent', { agent: 'bot' }, ['agent bot']],
  ])('%s', (_, more, expected) => {
    expect(openerKeys(claims(more)).map((key) => key.join(' '))).toEqual(expected)
  })
})

describe('whose tasks a row reaches', () => {
  const reaches = (row: Partial<Grant>, by: OpenerClaims, whose = actor) =>
    grantsFor([grant(row)], by, whose).length > 0

  it.each<[string, Partial<Grant>, OpenerClaims, boolean]>([
    ['any client', {}, claims(), true],
    ['this client', { client: 'app' }, claims(), true],
    ['another client', { client: 'other' }, claims(), false],
    ['a pattern is none', { client: 'ap*' }, claims(), false],
    ['nobody else’s', { forOthers: false }, claims(), false],
    ['her own', { kind: 'user', forOthers: false }, alice, true],
    ['through that client', { kind: 'user', through: 'portal' }, alice, true],
    ['through another', { kind: 'user', through: 'web' }, alice, false],
    ['a client with her token: hers', {}, alice, true],
    ['a client with another’s token', {}, claims({ subject: 'bob' }), false],
    ['somebody for others', { kind: 'user' }, claims({ subject: 'bob' }), true],
    [
      'the person of that name of another issuer',
      { kind: 'user', forOthers: false },
      { ...alice, issuer: 'https://other.example' },
      false,
    ],
  ])('%s', (_, row, by, expected) => {
    expect(reaches(row, by)).toBe(expected)
  })

  it('a declared task is of nobody that a row could name', () => {
    expect(mayEndDeclared([grant()], claims())).toBe(true)
    expect(mayEndDeclared([grant({ client: 'app' })], claims())).toBe(false)
    expect(mayEndDeclared([grant({ forOthers: false })], claims())).toBe(false)
    expect(mayEndDeclared([grant()], alice)).toBe(false)
  })
})

describe('what acts', () => {
  it.each<[string, Partial<OpenerClaims>, Partial<TaskActor>, boolean]>([
    ['somebody else', {}, {}, false],
    ['the client', { client: 'app' }, {}, true],
    ['the subject, called like the client', { subject: 'APP' }, {}, true],
    ['the agent', { agent: 'bot' }, { agent: 'bot' }, true],
    ['the client, with a blank in its name', { client: 'a pp' }, {}, true],
    ['an agent called like the client', { agent: 'app' }, {}, true],
    ['somebody in the chain', { actorChain: ['x', 'Bot'] }, { agent: 'bot' }, true],
    ['a workload, by its id', { client: 'spiffe://a/bot' }, { agent: 'SPIFFE://a/bot/' }, true],
    ['the person themselves', { subject: 'alice', client: 'portal' }, {}, false],
  ])('%s', (_, by, of, expected) => {
    expect(actsUnder(claims(by), { ...actor, ...of })).toBe(expected)
  })
})

it('one row must allow the whole', () => {
  const rows = [grant({ mayApprove: true, maxLifetimeSeconds: 10 }), grant()]
  expect(withinGrant(rows, { lifetimeSeconds: 100, approve: false })).toBe(rows[1])
  expect(withinGrant(rows, { lifetimeSeconds: 10, approve: true })).toBe(rows[0])
  expect(withinGrant(rows, { lifetimeSeconds: 100, approve: true })).toBe('lifetime')
  expect(withinGrant(rows, { lifetimeSeconds: 101, approve: false })).toBe('lifetime')
  expect(withinGrant([grant()], { lifetimeSeconds: 1, approve: true })).toBe('approval')
})
