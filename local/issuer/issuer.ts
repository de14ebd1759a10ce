// What the routes share: the configuration, the state and the lookups over both.

import type { Context } from 'hono'
import { KNOWN_CLIENTS, type Client } from './clients.ts'
import { parseConfig, type Config } from './config.ts'
import type { Env } from './env.ts'
import type { IssuerState } from './state.ts'

export interface AppEnv {
  Bindings: Env
}

export interface Issuer extends Config {
  state: DurableObjectStub<IssuerState>
}

export function issuerOf({ env }: Context<AppEnv>): Issuer {
  return { ...parseConfig(env), state: env.ISSUER_STATE.getByName('issuer') }
}

export async function findClient(issuer: Issuer, id: string): Promise<Client | null> {
  const registered = KNOWN_CLIENTS.find((client) => client.id === id)
  return registered ?? (await issuer.state.dynamicClient(id))
}
