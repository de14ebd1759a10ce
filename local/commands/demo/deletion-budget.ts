import type { Step } from './tour.ts'

const PARALLEL = 100
const BUDGET = 10

export const deletionBudget: Step = {
  title: 'A budget of ten deletions holds, however many come at once',
  async run(tour) {
    const token = await tour.token({ sub: 'carol', client: 'acme-agent' })
    const outcomes = await Promise.all(
      Array.from({ length: PARALLEL }, (_, index) =>
        tour.call({ token, tool: 'delete_customer', args: { id: `C-${1001 + index}` } }),
      ),
    )
    const granted = outcomes.filter((outcome) => outcome.decision === 'allow').length
    const refused = outcomes.filter((outcome) => outcome.reason === 'denied_by_sequence').length
    tour.check(
      `carol deletes ${PARALLEL} customers in parallel`,
      granted === BUDGET && refused === PARALLEL - BUDGET,
      `${granted} allow, ${refused} deny denied_by_sequence`,
      `${BUDGET} allow, ${PARALLEL - BUDGET} deny`,
    )
  },
}
