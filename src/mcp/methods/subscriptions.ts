// Pure. One long stream of notices (2026-07-28, basic/patterns/subscriptions).
import { ok } from '../../result.ts'
import { resourceEntry } from '../catalogue.ts'
import type { ListKind, Subscription } from '../operation.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../value.ts'
import { EMPTY, invalid, isText, MODERN, type Rows } from './row.ts'

/** Each of them is decided on its own. */
const MAX_SUBSCRIBED = 32

const LISTS: Readonly<Record<string, ListKind>> = {
  toolsListChanged: 'tools',
  promptsListChanged: 'prompts',
  resourcesListChanged: 'resources',
}

const KNOWN: ReadonlySet<string> = new Set([
  ...Object.keys(LISTS),
  'resourceSubscriptions',
  'taskIds',
])

export const SUBSCRIPTIONS: Rows<Subscription['method']> = {
  'subscriptions/listen': {
    eras: MODERN,
    kind: 'request',
    params: ['notifications'],
    nameParam: null,
    needs: null,
    decided:
      'each resource as `resource:<uri>`, each task as the call that made it: all or nothing',
    read: ({ params, base }) => {
      const { notifications: wanted = EMPTY } = params
      if (!isJsonObject(wanted)) return invalid('`notifications` must be an object')
      // What is not known could let anything through.
      if (!Object.keys(wanted).every((member) => KNOWN.has(member))) {
        return invalid('`notifications` asks for what is not known here')
      }
      const lists = listsIn(wanted)
      const uris = textsIn(wanted['resourceSubscriptions'])
      const taskIds = textsIn(wanted['taskIds'])
      if (lists === null) return invalid('each `…ListChanged` must be true or false')
      if (uris === null || taskIds === null || uris.length + taskIds.length > MAX_SUBSCRIBED) {
        return invalid(`resources and tasks must be lists of texts, ${MAX_SUBSCRIBED} in all`)
      }
      const entries = uris.map(resourceEntry)
      return ok({
        kind: 'subscription',
        method: 'subscriptions/listen',
        entries,
        taskIds,
        lists,
        ...base,
      })
    },
  },
}

function listsIn(wanted: JsonObject): ListKind[] | null {
  const lists: ListKind[] = []
  for (const [member, list] of Object.entries(LISTS)) {
    const value = wanted[member] ?? false
    if (typeof value !== 'boolean') return null
    if (value) lists.push(list)
  }
  return lists
}

function textsIn(value: JsonValue = []): string[] | null {
  if (!Array.isArray(value)) return null
  const texts = value.filter(isText)
  return texts.length === value.length ? [...new Set(texts)] : null
}
