// Pure. What a question means to an MCP server: AuthZEN's action and resource -> method, tool and
// arguments. The method's own names follow the COAZ profile's default mappings (draft 1).
import { promptEntry, resourceEntry, toolEntry } from '../mcp/catalogue.ts'
import { isMethod } from '../mcp/methods.ts'
import { isText } from '../mcp/methods/row.ts'
import { isName } from '../mcp/names.ts'
import type { Method } from '../mcp/operation.ts'
import { isJsonObject, type JsonObject } from '../mcp/value.ts'
import { ok, type Result } from '../result.ts'
import { malformed, readName, NOTHING, type Asked, type Malformed } from './request.ts'

export interface Act {
  readonly method: Method
  readonly tool: string | null
  /** null: no tool is called. */
  readonly arguments: JsonObject | null
  /** A call whose arguments nobody told: an answer that hangs on them is no. */
  readonly argumentsUnknown: boolean
}

/** `unknown`: an MCP method that is not served, so nobody may (COAZ: fail closed). */
export function readAct(asked: Asked): Result<Act | 'unknown', Malformed> {
  const { name } = asked.action
  if (namesMethod(name)) return isMethod(name) ? methodOn(asked, name) : ok('unknown')
  return isName(name) && toolEntry(name) !== null
    ? ok(toolOn(asked, name))
    : malformed('`action.name` is no name of a tool')
}

/**
 * A name with a slash is an MCP method, and so are the two without one. Every other name is a tool;
 * a tool that is called like a method can be asked about with `tools/call`.
 */
export const namesMethod = (name: string): boolean => name.includes('/') || isMethod(name)

/** What a question about each method names, as the default mappings have it (COAZ-MCP, draft 1). */
type Names = 'server' | 'tool' | 'resource' | 'prompt' | 'reference' | 'unanswerable'

const NAMED: { readonly [M in Method]: Names } = {
  'tools/call': 'tool',
  'resources/read': 'resource',
  'resources/subscribe': 'resource',
  'resources/unsubscribe': 'resource',
  'resources/directory/read': 'resource',
  'skills/get': 'resource',
  'prompts/get': 'prompt',
  'completion/complete': 'reference',
  // Which call made a task, and what a subscription is about, no question tells.
  'tasks/get': 'unanswerable',
  'tasks/result': 'unanswerable',
  'tasks/update': 'unanswerable',
  'tasks/cancel': 'unanswerable',
  'subscriptions/listen': 'unanswerable',
  'tasks/list': 'server',
  'tools/list': 'server',
  'prompts/list': 'server',
  'resources/list': 'server',
  'resources/templates/list': 'server',
  'skills/list': 'server',
  initialize: 'server',
  ping: 'server',
  'logging/setLevel': 'server',
  'server/discover': 'server',
  'notifications/initialized': 'server',
  'notifications/cancelled': 'server',
  'notifications/progress': 'server',
  'notifications/roots/list_changed': 'server',
}

function methodOn(asked: Asked, method: Method): Result<Act | 'unknown', Malformed> {
  const { type, id } = asked.resource
  const named = NAMED[method]
  switch (named) {
    case 'unanswerable':
      return ok('unknown')
    case 'server':
      return type === 'mcp_server'
        ? ok({ method, tool: null, arguments: null, argumentsUnknown: false })
        : mustBe('mcp_server', method)
    case 'resource':
      if (type !== 'resource') return mustBe('resource', method)
      return isText(id)
        ? ok({ method, tool: resourceEntry(id), arguments: { uri: id }, argumentsUnknown: false })
        : malformed('`resource.id` is no uri')
    case 'reference':
      if (type === 'resource' && isText(id)) return callOf(asked, method, resourceEntry(id))
      return type === 'prompt' && isName(id)
        ? callOf(asked, method, promptEntry(id))
        : malformed('`resource` names no prompt or resource template')
    case 'prompt':
      if (type !== 'prompt') return mustBe('prompt', method)
      return isName(id)
        ? callOf(asked, method, promptEntry(id))
        : malformed('`resource.id` is no name of a prompt')
    case 'tool': {
      if (type !== 'tool') return mustBe('tool', method)
      const entry = isName(id) ? toolEntry(id) : null
      return entry === null
        ? malformed('`resource.id` is no name of a tool')
        : callOf(asked, method, entry)
    }
  }
}

const mustBe = (type: string, method: Method): Result<never, Malformed> =>
  malformed(`\`resource.type\` must be \`${type}\` for \`${method}\``)

function callOf({ action, context }: Asked, method: Method, entry: string): Result<Act, Malformed> {
  const inContext = context['arguments']
  const inAction = action.properties['arguments']
  if (inContext !== undefined && inAction !== undefined) {
    return malformed('the arguments are there twice: in `context` and in `action.properties`')
  }
  const given = inContext ?? inAction
  if (given !== undefined && !isJsonObject(given)) return malformed('`arguments` must be an object')
  return ok({
    method,
    tool: entry,
    arguments: given ?? NOTHING,
    argumentsUnknown: given === undefined,
  })
}

/**
 * The action is the tool, and the resource what it is called with: `tool_arguments` looks it up.
 *
 * INVARIANT: `type` and `id` are the resource's own; a property of that name does not replace them.
 */
function toolOn({ resource }: Asked, tool: string): Act {
  const { type, id, properties } = resource
  const given = Object.assign(Object.create(null) as JsonObject, properties, { type, id })
  return { method: 'tools/call', tool, arguments: given, argumentsUnknown: false }
}

/** The server that a question names, in the order in which a name counts; null: none. */
export function serverNamed(
  { resource, context }: Asked,
  origins: readonly string[],
): Result<string | null, Malformed> {
  const property = readName(resource.properties, 'server', 'resource.properties')
  if (!property.ok || property.value !== null) return property
  if (resource.type === 'mcp_server') return ok(serverOf(resource.id, origins))
  return readName(context, 'server', 'context')
}

/** Either its name, or its resource identifier (RFC 8707) under one of our origins. */
function serverOf(id: string, origins: readonly string[]): string {
  for (const origin of origins) {
    const [, name] = id.startsWith(`${origin}/`)
      ? (/^([a-z0-9-]+)\/mcp$/.exec(id.slice(origin.length + 1)) ?? [])
      : []
    if (name !== undefined) return name
  }
  return id
}
