import type { Context } from 'hono'
import { issuerOf, type AppEnv } from './issuer.ts'

export async function showKeys(context: Context<AppEnv>): Promise<Response> {
  const keys = await issuerOf(context).state.publishedKeys()
  return context.json({ keys }, 200, { 'cache-control': 'public, max-age=300' })
}
