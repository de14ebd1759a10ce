import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { readState } from '../../../src/storage/freshness.ts'
import { inThisWorld, ISSUER, sql } from '../../support/worker/world.ts'

inThisWorld()

const state = () => readState(env.DB, 'acme')

/** Each changes a row that an open call may hang on. */
const EDITS = [
  "UPDATE tenants SET active = 0 WHERE id = 'acme'",
  `INSERT INTO clients (tenant, issuer, id) VALUES ('acme', '${ISSUER}', 'new')`,
  "UPDATE clients SET active = 0 WHERE id = 'new'",
  "DELETE FROM clients WHERE id = 'new'",
  `INSERT INTO agents (tenant, issuer, id) VALUES ('acme', '${ISSUER}', 'new')`,
  "UPDATE agents SET active = 0 WHERE id = 'new'",
  "DELETE FROM agents WHERE id = 'new'",
  `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES ('acme', '${ISSUER}', 'user', 'new', 'sales')`,
  "UPDATE role_assignments SET expires_at = 1 WHERE holder = 'new'",
  "DELETE FROM role_assignments WHERE holder = 'new'",
  "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
  "INSERT INTO resources (tenant, type, id) VALUES ('acme', 'customer', 'c-1')",
  "UPDATE resources SET sensitivity = 'restricted' WHERE id = 'c-1'",
  "DELETE FROM resources WHERE id = 'c-1'",
  `INSERT INTO consents (tenant, id, issuer, subject, client, server, access) VALUES ('acme', 'c', '${ISSUER}', 'alice', 'acme-agent', 'crm', 'read')`,
  "UPDATE consents SET revoked_at = granted_at WHERE id = 'c'",
  "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'subject', 'new')",
  "UPDATE revocations SET reason = 'x' WHERE id = 'new'",
  "DELETE FROM revocations WHERE id = 'new'",
  `INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, opened_by, expires_at)
   VALUES ('acme', 't', '${ISSUER}', 'alice', 'acme-agent', 'work', 'alice', 4000000000000)`,
  "UPDATE tasks SET closed_at = 4000000000000, closed_by = 'x' WHERE id = 't'",
  `INSERT INTO signal_streams (id, tenant, issuer, audience) VALUES ('hr', 'acme', '${ISSUER}', 'us')`,
  "UPDATE signal_streams SET raised_acr = 'phr' WHERE id = 'hr'",
  "INSERT INTO signal_stream_states (stream, tenant, last_heard_at, status) VALUES ('hr', 'acme', 1, 'paused')",
  "UPDATE signal_stream_states SET status = 'enabled' WHERE stream = 'hr'",
  `INSERT INTO signal_states (tenant, kind, id, issuer, stream, topic, level, raised, event_at)
   VALUES ('acme', 'subject', 'new', '${ISSUER}', 'hr', 'risk', 'HIGH', 1, 1)`,
  "UPDATE signal_states SET raised = 0 WHERE id = 'new'",
  "DELETE FROM signal_states WHERE id = 'new'",
  `INSERT INTO claim_overlays (tenant, kind, id, issuer, stream, claim, value, event_at)
   VALUES ('acme', 'subject', 'new', '${ISSUER}', 'hr', 'acr', '"low"', 1)`,
  `UPDATE claim_overlays SET value = '"lower"' WHERE id = 'new'`,
  "DELETE FROM claim_overlays WHERE id = 'new'",
  "INSERT INTO policies (tenant, id, effect) VALUES ('acme', 'no', 'deny')",
  "UPDATE issuers SET active = 0 WHERE tenant = 'acme'",
]

describe('what open calls are watched by', () => {
  it('moves with every row that they may hang on', async () => {
    const seen = new Set([await state()])
    for (const edit of EDITS) {
      await sql(edit)
      const now = await state()
      expect(now, edit).not.toBeNull()
      expect(seen, edit).not.toContain(now)
      seen.add(now)
    }
  })

  it('does not move with all that is heard', async () => {
    await sql(
      `INSERT INTO signal_streams (id, tenant, issuer, audience) VALUES ('it', 'acme', '${ISSUER}', 'us')`,
      "INSERT INTO signal_stream_states (stream, tenant, last_heard_at) VALUES ('it', 'acme', 1)",
    )
    const before = await state()
    await sql("UPDATE signal_stream_states SET last_heard_at = 2 WHERE stream = 'it'")
    expect(await state()).toBe(before)
    await sql(
      "DELETE FROM signal_stream_states WHERE stream = 'it'",
      "DELETE FROM signal_streams WHERE id = 'it'",
    )
  })

  it('does not move with what another tenant changes', async () => {
    const before = await state()
    await sql(
      "INSERT INTO tenants (id) VALUES ('globex')",
      "INSERT INTO revocations (tenant, kind, id) VALUES ('globex', 'subject', 'alice')",
    )
    expect(await state()).toBe(before)
    await sql("DELETE FROM revocations WHERE tenant = 'globex'")
  })

  it.each(['watched_revocations_insert', 'revision_policies_update'])(
    'vouches for nothing without `%s`',
    async (trigger) => {
      const row = await env.DB.prepare('SELECT sql FROM sqlite_master WHERE name = ?')
        .bind(trigger)
        .first<{ sql: string }>()
      await sql(`DROP TRIGGER ${trigger}`)
      expect(await state()).toBeNull()
      await sql(row?.sql ?? '')
      expect(await state()).not.toBeNull()
    },
  )
})
