// Conditions over `targets`, on tools that may name none.
import { nodesOf, parse } from './ast.ts'
import { conditionUses } from './condition-uses.ts'
import type { Finding, RowCheck } from './problem.ts'

/** INVARIANT of CEL: what is said of all of nothing is true, and of one of nothing false. */
export const targetsAreNamed: RowCheck = (rows) =>
  conditionUses(rows).flatMap(({ at, text, compiled, policy, tools }): Finding[] => {
    if (!compiled.ok || policy === null || tools.length === 0) return []
    const asked = parse(text)
    const mention = nodesOf(asked).find((node) => node.op === 'id' && node.args === 'targets')
    if (mention === undefined) return []
    const within = { text, offset: mention.start }
    const named = (row: (typeof tools)[number]['row']) =>
      row.name.includes('*') ? [] : [...row.arguments, ...row.results]
    if (tools.every(({ row }) => named(row).length === 0)) {
      const which = tools.map(({ row }) => `\`${row.name}\``).join(', ')
      const message = `it asks for targets, and ${which} names no resource; add rows to tool_arguments`
      return [{ ...at, code: 'condition_without_targets', message, within }]
    }
    if (policy.effect === 'deny' || !saysAll(text) || asksForSome(text)) return []
    const loose = tools.filter(({ row }) => row.arguments.every(({ optional }) => optional))
    if (loose.length === 0) return []
    const which = loose.map(({ row }) => `\`${row.name}\``).join(', ')
    const message = `a call of ${which} may name no resource, and \`targets.all(…)\` is true then; add \`&& targets.size() > 0\``
    return [{ ...at, code: 'warn_targets_may_be_none', message, within }]
  })

const saysAll = (text: string): boolean => callsOnTargets(text).includes('all')

/** It says as well that there is one, or how many. */
const asksForSome = (text: string): boolean =>
  callsOnTargets(text).some((name) => name === 'exists' || name === 'exists_one' || name === 'size')

const callsOnTargets = (text: string): string[] =>
  nodesOf(parse(text)).flatMap((node) => {
    if (node.op === 'rcall') return isTargets(node.args[1]) ? [node.args[0]] : []
    return node.op === 'call' && node.args[1].some(isTargets) ? [node.args[0]] : []
  })

const isTargets = (node: ReturnType<typeof parse>): boolean =>
  node.op === 'id' && node.args === 'targets'
