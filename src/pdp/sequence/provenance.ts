// Pure. `provenance`: some value that the call passes in `role` has none of the allowed `origins`.
// Where origins come from: src/pdp/provenance/.
import { err, ok } from '../../result.ts'
import { comesFrom, parseOrigins } from '../provenance/combination.ts'
import type { RuleDefinition } from './rule.ts'

/** The role of the call itself, for origins such as `granted` that are no value's. */
export const ACT = 'act'

export const provenance: RuleDefinition = {
  looksFor: 'origins',
  perTask: false,
  parse: ({ role, origins, groupBy, labels }) => {
    if (role === null) return err('`role` is missing')
    if (groupBy.length > 0) return err('`group_by` says nothing of origins')
    if (labels.length > 0) return err('`rules` says nothing of origins')
    const allowed = parseOrigins(origins)
    if (!allowed.ok) return allowed
    return ok({
      holds: ({ memory }, step) => {
        if (role === ACT) return !comesFrom(allowed.value, null, memory, step)
        // INVARIANT: arguments that hold more than is read have no origin.
        if (step.values === null) return true
        return step.values.some(
          (value) => value.role === role && !comesFrom(allowed.value, value, memory, step),
        )
      },
    })
  },
}
