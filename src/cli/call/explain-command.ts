import { parseArgs } from 'node:util'
import { readJson } from '../../mcp/json.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../mcp/value.ts'
import { scopesOf } from '../../pdp/tools.ts'
import { Mistake } from '../mistake.ts'
import { orDefaultFolder } from '../scratch/sources.ts'
import type { Call } from './call.ts'
import { isBound, readTokenWords } from './credential.ts'
import { decideCall } from './decide.ts'
import { explain } from './explain.ts'
import { readTime, TIME_WANTED } from './fields.ts'
import { openDatabase } from './open.ts'
import { readTold } from './told.ts'

const text = { type: 'string' } as const
const REQUIRED = ['tenant', 'server', 'tool', 'subject', 'client'] as const

/** It has answered the question, whatever the answer is: exit 0. */
export async function explainCommand(args: readonly string[]): Promise<boolean> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      tenant: text,
      server: text,
      tool: text,
      subject: text,
      client: text,
      agent: text,
      args: text,
      scopes: text,
      acr: text,
      'logged-in-seconds-ago': text,
      'sender-constrained': { type: 'boolean', default: false },
      'authorization-details': text,
      bindings: text,
      'token-session': text,
      'issuer-key': text,
      signals: text,
      txn: text,
      task: text,
      ip: text,
      country: text,
      asn: text,
      at: text,
      definition: text,
      result: text,
    },
  })
  const { tenant, server, tool, subject, client } = values
  if (!tenant || !server || !tool || !subject || !client) {
    const missing = REQUIRED.filter((name) => !values[name]).map((name) => `--${name}`)
    throw new Mistake(`explain needs ${missing.join(' ')}`)
  }
  const token = readTokenWords('explain', {
    ...(values['authorization-details'] === undefined
      ? {}
      : {
          authorization_details: valueIn(
            '--authorization-details',
            values['authorization-details'],
          ),
        }),
    ...(values.bindings === undefined ? {} : { bindings: valueIn('--bindings', values.bindings) }),
    token_session: values['token-session'] ?? null,
    issuer_key: values['issuer-key'] ?? null,
    txn: values.txn ?? null,
  })
  const database = openDatabase(orDefaultFolder(positionals))
  const decision = await decideCall(database, {
    tenant,
    server,
    tool,
    arguments: objectIn('--args', values.args ?? '{}'),
    subject,
    roles: null,
    acr: values.acr ?? null,
    loggedInSecondsAgo: numberIn('--logged-in-seconds-ago', values['logged-in-seconds-ago']),
    client,
    senderConstrained: values['sender-constrained'] || isBound(token),
    token,
    agent: values.agent ?? null,
    signals:
      values.signals === undefined
        ? null
        : readTold('--signals', objectIn('--signals', values.signals)),
    task: values.task ?? null,
    scopes: values.scopes === undefined ? null : scopesOf(values.scopes),
    network: {
      ip: values.ip ?? null,
      country: values.country ?? null,
      asn: numberIn('--asn', values.asn),
    },
    at: timeIn(values.at),
    definition: definitionIn(values.definition),
    history: [],
    result: values.result === undefined ? null : objectIn('--result', values.result),
  })
  for (const line of explain(decision)) console.log(line)
  return true
}

function objectIn(option: string, json: string): JsonObject {
  const value = valueIn(option, json)
  if (!isJsonObject(value)) throw new Mistake(`${option} must be a JSON object`)
  return value
}

function valueIn(option: string, json: string): JsonValue {
  const read = readJson(json)
  if (!read.ok) throw new Mistake(`${option} is not JSON: ${read.error.detail}`)
  return read.value
}

function numberIn(option: string, text: string | undefined): number | null {
  if (text === undefined) return null
  if (!/^\d{1,15}$/.test(text)) throw new Mistake(`${option} must be a number`)
  return Number(text)
}

function timeIn(text: string | undefined): number | null {
  if (text === undefined) return null
  const time = readTime(text)
  if (time === null) throw new Mistake(`--at must be ${TIME_WANTED}`)
  return time
}

function definitionIn(text = 'pinned'): Call['definition'] {
  if (text === 'pinned' || text === 'changed' || text === 'unseen') return text
  throw new Mistake('--definition must be pinned, changed or unseen')
}
