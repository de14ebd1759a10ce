// Allows that say too little about whom they mean.
import type { PolicyRow } from '../../pdp/policy.ts'
import type { RowCheck } from './problem.ts'

interface Width {
  readonly code: string
  readonly message: string
}

export const allowsSayWho: RowCheck = ({ tenant, tables }) =>
  tables.policies.flatMap((row) => {
    const width = row.effect === 'allow' && row.role === null ? widthOf(row) : null
    return width === null ? [] : [{ ...width, table: 'policies', key: [tenant, row.id] }]
  })

/** Of an allow without a role. A condition may narrow it again, and a shadow allows nothing yet. */
function widthOf({ client, agent, condition, mode }: PolicyRow): Width | null {
  const code = condition === null && mode === 'enforce' ? 'wide_allow' : 'warn_wide_allow'
  if (client === null && agent === '*') {
    return {
      code,
      message: 'allows everybody through every client and agent; name a role or a client',
    }
  }
  if (client === null && agent === null) {
    return { code, message: 'counts for every person; name a role, a client or an agent' }
  }
  if (condition?.includes('subject.') === true) return null
  const software = agent === null || agent === '*' ? `client \`${client}\`` : `agent \`${agent}\``
  return {
    code: 'warn_any_person',
    message: `counts for every person who acts through ${software}, not only for the software; name a role of the person or one that the software holds`,
  }
}
