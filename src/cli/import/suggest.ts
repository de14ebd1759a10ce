// Pure. What a tool most likely is, for a person to correct: its class of access, the labels of what
// flows in and out of it, and what its arguments are. All of it comes from what the server says of
// itself, so a claim may make a suggestion more dangerous and never less.
import { isJsonObject, type JsonObject, type JsonValue } from '../../mcp/value.ts'
import type { Access } from '../../pdp/evaluation.ts'
import { parametersOf, type Parameter } from './arguments.ts'
import { labelsFor, WORST_LABELS } from './labels.ts'
import { roleOf, type ArgumentRole } from './roles.ts'
import { classesOfName, classesOfText, worst } from './verbs.ts'
import { sentencesOf, wordsOf } from './words.ts'

export interface ArgumentSuggestion {
  /** RFC 6901 into the arguments, where `*` stands for every element of a list. */
  readonly pointer: string
  readonly role: ArgumentRole
}

export interface Suggestion {
  readonly access: Access
  /** Sorted. */
  readonly labels: readonly string[]
  readonly arguments: readonly ArgumentSuggestion[]
}

export function suggest(tool: JsonObject): Suggestion {
  const annotations = isJsonObject(tool['annotations']) ? tool['annotations'] : {}
  const name = textOf(tool['name'])
  const title = `${textOf(tool['title'])} ${textOf(annotations['title'])}`
  const description = textOf(tool['description'])
  const parameters = parametersOf(tool['inputSchema'])
  const about = `${name} ${description}`.slice(0, 4_000)

  const said = [...classesOfName(name), ...classesOfName(title), ...classesOfText(description)]
  const classes = [...said, ...classesOfChoices(parameters), ...classesOfHints(annotations)]
  const runsCommands = parameters.some((one) => roleOf(one, true, about) === 'command')
  if (runsCommands) classes.push('destructive')
  // A server's silence is no proof of harmlessness, and its hints alone are none either.
  const access = worst(said.length === 0 ? [...classes, 'write'] : classes) ?? 'write'

  const roles = parameters.flatMap((parameter): (ArgumentSuggestion & { of: Parameter })[] => {
    const role = roleOf(parameter, access !== 'read', about)
    return role === null ? [] : [{ pointer: parameter.pointer, role, of: parameter }]
  })
  const nameWords = [...wordsOf(name), ...wordsOf(title)]
  const labels = labelsFor({
    access,
    classes,
    nameWords,
    allWords: [...nameWords, ...sentencesOf(description).flat()],
    roles: new Set(roles.map(({ role }) => role)),
    addresses: roles.some(({ role, of }) => role === 'target' && isAddress(of)),
    urls: roles.some(({ role, of }) => role === 'target' && isUrl(of)),
    openWorld: annotations['openWorldHint'] === true,
  })
  return {
    access,
    labels: said.length === 0 ? [...new Set([...labels, ...WORST_LABELS])].toSorted() : labels,
    arguments: roles.map(({ pointer, role }) => ({ pointer, role })),
  }
}

/** One tool for many acts says so in a choice: `{"action": {"enum": ["list", "delete"]}}`. */
const classesOfChoices = (parameters: readonly Parameter[]): Access[] =>
  parameters.flatMap(({ name, schema }) => {
    const words = wordsOf(name)
    const choices = ACTION_NAMES.test(words.join(' ')) ? choicesOf(schema) : []
    const flag = typesOfFlag(schema) ? words : []
    return [
      ...choices.slice(0, 100).flatMap((choice) => classesOfName(choice)),
      // `force`, `permanent`, `overwrite`: a flag that makes the act worse.
      ...(flag.some((word) => GRAVE_FLAGS.has(word)) ? (['destructive'] as const) : []),
    ]
  })

const ACTION_NAMES = /\b(?:action|operation|op|method|verb|command|mode|task|act|type)\b/
const GRAVE_FLAGS: ReadonlySet<string> = new Set(
  'force permanent permanently overwrite purge hard recursive delete remove destructive'.split(' '),
)

function choicesOf(schema: JsonObject): readonly string[] {
  const { enum: choices, const: only } = schema
  const values = Array.isArray(choices) ? choices : [only ?? null]
  return values.filter((value): value is string => typeof value === 'string')
}

const typesOfFlag = (schema: JsonObject): boolean => schema['type'] === 'boolean'

/** Hints are the server's word (MCP 2025-11-25, server/tools): only what they admit is believed. */
function classesOfHints(annotations: JsonObject): Access[] {
  if (annotations['destructiveHint'] === true && annotations['readOnlyHint'] !== true) {
    return ['destructive']
  }
  return annotations['readOnlyHint'] === false ? ['write'] : []
}

const ADDRESSED =
  /\b(?:to|cc|bcc|recipients?|emails?|mails?|ur[il]s?|href|webhooks?|callback|endpoint|hosts?|hostname|domain|destination|phone|channels?|attendees?|participants?|invitees?|website)\b/
const URLS = /\b(?:ur[il]s?|href|link|webhook|endpoint|website)\b/

const isAddress = ({ name, schema }: Parameter): boolean =>
  ADDRESSED.test(wordsOf(name).join(' ')) || /mail|ur[il]|host/.test(textOf(schema['format']))

const isUrl = ({ name, schema }: Parameter): boolean =>
  URLS.test(wordsOf(name).join(' ')) || /^ur[il]/.test(textOf(schema['format']))

const textOf = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '')
