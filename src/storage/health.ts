import { asc, count, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/d1'
import type { D1Reader } from './freshness.ts'
import { issuers, revision, servers } from './schema.ts'

/** What of the whole database decides whether anything may be served. Rare: for `/healthz` only. */
export async function readHealth(database: D1Reader) {
  const db = drizzle(database as D1Database)
  const [revisions, triggers, issuerRows, serverRows] = await db.batch([
    db.select({ total: sql<number>`coalesce(sum(${revision.counter}), 0)` }).from(revision),
    db
      .select({ total: count() })
      .from(sql`sqlite_master`)
      .where(sql`type = 'trigger' AND name GLOB 'revision_*'`),
    db
      .select({
        demo: issuers.demo,
        url: issuers.url,
        jwksUri: issuers.jwksUri,
        introspectionUrl: issuers.introspectionUrl,
        tokenUrl: issuers.tokenUrl,
        revocationUrl: issuers.revocationUrl,
      })
      .from(issuers),
    db
      .select({
        name: servers.name,
        url: servers.url,
        observeUntil: servers.observeUntil,
        credential: servers.credential,
      })
      .from(servers)
      .orderBy(asc(servers.name)),
  ])
  return {
    revision: revisions[0]?.total ?? 0,
    triggers: triggers[0]?.total ?? 0,
    issuers: issuerRows,
    servers: serverRows,
  }
}
