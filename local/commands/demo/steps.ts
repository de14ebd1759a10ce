import { consent } from './consent.ts'
import { credentialEnd } from './credential-end.ts'
import { deletionBudget } from './deletion-budget.ts'
import { decisionLog } from './decision-log.ts'
import { firstCalls, policyChange, roleChange } from './policy-steps.ts'
import { newServer } from './new-server.ts'
import { classification, ownership } from './resource-steps.ts'
import { readThenExport } from './read-then-export.ts'
import { revocation } from './revocation.ts'
import { taskEnd } from './task-end.ts'
import type { Step } from './tour.ts'

/** The tour, in order. A step is one file or function and one entry here. */
export const STEPS: readonly Step[] = [
  firstCalls,
  roleChange,
  policyChange,
  ownership,
  classification,
  readThenExport,
  revocation,
  consent,
  deletionBudget,
  taskEnd,
  credentialEnd,
  decisionLog,
  newServer,
]
