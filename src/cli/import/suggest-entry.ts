// Pure. What a resource or a prompt most likely is, in the words that a tool is suggested with.
import { kindOf, ownName } from '../../mcp/catalogue.ts'
import { isTemplate } from '../../mcp/template.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../mcp/value.ts'
import type { PinnedTool } from './pin.ts'
import { suggest, type Suggestion } from './suggest.ts'

export function suggestFor({ name, tool }: PinnedTool): Suggestion {
  switch (kindOf(name)) {
    case 'resource':
      return ofResource(tool, ownName(name))
    case 'prompt':
      return ofPrompt(tool)
    case 'tool':
    case 'client':
      return suggest(tool)
  }
}

/** To read it is all that can be done with it, whatever its words say. */
function ofResource(definition: JsonObject, uri: string): Suggestion {
  const { labels } = suggest({ ...wordsOf(definition), name: `read ${textOf(definition['name'])}` })
  // What the template leaves open narrows what is read.
  const open = isTemplate(uri) ? [{ pointer: '/uri', role: 'selector' as const }] : []
  return { access: 'read', labels, arguments: open }
}

/** A prompt is text for a model; its arguments are sent to the server like those of a tool. */
function ofPrompt(definition: JsonObject): Suggestion {
  const listed = definition['arguments']
  const named = (Array.isArray(listed) ? (listed as readonly JsonValue[]) : []).filter(isJsonObject)
  const properties = Object.fromEntries(
    named.map(({ name, description = '' }) => [
      textOf(name),
      { type: 'string', description } as JsonObject,
    ]),
  )
  const { labels, arguments: found } = suggest({
    ...wordsOf(definition),
    name: `get ${textOf(definition['name'])}`,
    inputSchema: { type: 'object', properties },
  })
  return { access: 'read', labels, arguments: found }
}

const wordsOf = ({ title = '', description = '' }: JsonObject): JsonObject => ({
  title,
  description,
})

const textOf = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '')
