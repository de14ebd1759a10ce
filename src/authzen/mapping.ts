// Pure. What a question means to an MCP server: AuthZEN's action and resource -> method, tool and
// arguments. The method's own names follow the COAZ profile's default mappings (draft 1).
import { isMethod } from '../mcp/methods.ts'
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
  if (name === 'tools/call') return toolCall(asked)
  if (namesMethod(name)) return isMethod(name) ? methodOn(asked, name) : ok('unknown')
  return isName(name) ? ok(toolOn(asked, name)) : malformed('`action.name` is no name of a tool')
}

/**
 * A name with a slash is an MCP method, and so are the two without one. Every other name is a tool;
 * a tool that is called like a method can be asked about with `tools/call`.
 */
export const namesMethod = (name: string): boolean => name.includes('/') || isMethod(name)

function toolCall({ action, resource, context }: Asked): Result<Act, Malformed> {
  if (resource.type !== 'tool') return malformed('`resource.type` must be `tool` for `tools/call`')
  if (!isName(resource.id)) return malformed('`resource.id` is no name of a tool')
  const inContext = context['arguments']
  const inAction = action.properties['arguments']
  if (inContext !== undefined && inAction !== undefined) {
    return malformed('the arguments are there twice: in `context` and in `action.properties`')
  }
  const given = inContext ?? inAction
  if (given !== undefined && !isJsonObject(given)) return malformed('`arguments` must be an object')
  return ok({
    method: 'tools/call',
    tool: resource.id,
    arguments: given ?? NOTHING,
    argumentsUnknown: given === undefined,
  })
}

function methodOn({ resource }: Asked, method: Method): Result<Act, Malformed> {
  return resource.type === 'mcp_server'
    ? ok({ method, tool: null, arguments: null, argumentsUnknown: false })
    : malformed('`resource.type` must be `mcp_server` for this method')
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
