/** `npm run eval -- --traces F --results F --tools F …`: recorded traces through the sequence rules. */
import { parseArgs } from 'node:util'
import { compileRules } from '../../pdp/sequence/advance.ts'
import { messageOf, Mistake } from '../mistake.ts'
import { readCatalogue } from './catalogue.ts'
import { evaluate } from './evaluate.ts'
import { toolMaps } from './maps.ts'
import { readResults } from './results.ts'
import { readRules } from './rules.ts'
import { wilson, type Figures } from './score.ts'
import { NO_GRANTS, readTasks } from './tasks.ts'
import { readTraces } from './trace.ts'
import { TRANSFORMS, type Transform } from './transform.ts'

const USAGE = `usage: npm run eval -- --traces FILE --results FILE --tools FILE [--json]
           [--rules standard|strict|read-before-write|FILE.sql] [--prompt|--no-prompt]
           [--tasks FILE] [--transform ${TRANSFORMS.join('|')}] [--benign [--unsolved]]`

const OPTIONS = {
  traces: { type: 'string' },
  results: { type: 'string' },
  tools: { type: 'string' },
  tasks: { type: 'string' },
  transform: { type: 'string' },
  rules: { type: 'string', default: 'standard' },
  prompt: { type: 'boolean', default: true },
  benign: { type: 'boolean', default: false },
  unsolved: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const

export function evalCommand(args: readonly string[]): string {
  const { values } = parseArgs({ args: [...args], options: OPTIONS, allowNegative: true })
  const { traces, results, tools } = values
  if (traces === undefined || results === undefined || tools === undefined) throw new Mistake(USAGE)
  const rules = compileRules('evaluation', readRules(values.rules))
  const [problem] = rules.problems()
  if (problem !== undefined) throw new Mistake(`rule \`${problem.id}\`: ${problem.problem}`)
  const all = readTraces(traces)
  const figures = evaluate(
    // A set without attacks may call its kinds what it likes.
    values.benign
      ? all.map(({ recorded, truth }) => ({ recorded, truth: { ...truth, kind: 'benign' } }))
      : all,
    {
      rules,
      results: readResults(results),
      maps: toolMaps(readCatalogue(tools)),
      prompt: values.prompt,
      tasks: values.tasks === undefined ? NO_GRANTS : readTasks(values.tasks),
      transform: transformOf(values.transform),
      unsolvedToo: values.unsolved,
    },
  )
  return values.json ? JSON.stringify(figures) : inWords(figures)
}

function transformOf(name: string | undefined): Transform | null {
  if (name === undefined) return null
  const known = TRANSFORMS.find((one) => one === name)
  if (known === undefined) throw new Mistake(`there is no transform \`${name}\`\n${USAGE}`)
  return known
}

function inWords(figures: Figures): string {
  const share = (part: number, whole: number): string => {
    if (whole === 0) return 'none in this set'
    const [low, high] = wilson(part, whole).map((bound) => (100 * bound).toFixed(1))
    return `${part} of ${whole} = ${((100 * part) / whole).toFixed(1)} % (95 %: ${low} to ${high})`
  }
  const { benign, authorized } = figures
  const hard = Math.round((figures.hard_denied_rate ?? 0) * benign)
  return [
    `traces              ${figures.traces}`,
    `attacks stopped     ${share(figures.stopped, figures.blockable)}`,
    `benign touched      ${share(figures.benign_touched, benign)}`,
    `benign refused      ${share(hard, benign)}`,
    `authorized touched  ${share(figures.authorized_touched, authorized)}`,
  ].join('\n')
}

if (import.meta.main) {
  try {
    console.log(evalCommand(process.argv.slice(2)))
  } catch (error) {
    const plain =
      error instanceof Mistake ||
      (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE'))
    console.error(plain ? messageOf(error) : error)
    process.exitCode = 1
  }
}
