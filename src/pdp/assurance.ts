// Pure. What an allow may ask for besides a match: how the person logged in, when, with what kind of
// token, for which task, and whether another person must agree.
import type { EvaluationRequest, Need, TaskFact } from './evaluation.ts'
import type { PolicyRow } from './policy.ts'

/** Every need is a line here, and the compiler asks for it. */
type Lacks = (row: PolicyRow, request: EvaluationRequest, task: TaskFact | null) => boolean

const NEEDS: Readonly<Record<Need, Lacks>> = {
  acr: (row, { subject }) =>
    row.requireAcr !== null && !acrValues(row).includes(subject.properties.acr ?? ''),
  // A token that does not say when the person logged in satisfies no bound (RFC 9470 §5).
  recent_login: (row, { subject, context }) =>
    row.maxAuthAgeSeconds !== null &&
    (subject.properties.authTime === null ||
      context.now / 1000 - subject.properties.authTime > row.maxAuthAgeSeconds),
  sender_constrained: (row, { subject }) =>
    row.requireSenderConstrained && !subject.properties.senderConstrained,
  task: (row, _, task) => row.requireTask !== null && task === null,
  approved_task: (row, _, task) => row.requireTask === 'approved' && task?.approved === false,
  approval: (row) => row.requireApproval,
}

/** A listing shows what could be allowed, so nothing is needed there yet. */
export const unmetNeeds = (
  row: PolicyRow,
  request: EvaluationRequest,
  task: TaskFact | null,
): readonly Need[] =>
  row.effect === 'deny' || request.context.arguments === null
    ? []
    : (Object.keys(NEEDS) as Need[]).filter((need) => NEEDS[need](row, request, task))

export const acrValues = ({ requireAcr }: Pick<PolicyRow, 'requireAcr'>): readonly string[] =>
  (requireAcr ?? '').split(' ').filter((value) => value !== '')
