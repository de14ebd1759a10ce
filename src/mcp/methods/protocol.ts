// Pure. What touches nothing that a policy could speak of.
import { ok } from '../../result.ts'
import { isName } from '../names.ts'
import type { ProtocolStep } from '../operation.ts'
import { isJsonObject } from '../value.ts'
import { BOTH, EMPTY, invalid, LEGACY, MODERN, type Base, type Rows } from './row.ts'

const UP_TO_SCOPE = 'up to scope'

export const PROTOCOL: Rows<ProtocolStep['method']> = {
  initialize: {
    // With a modern envelope it is a modern message, and no modern method (basic/versioning).
    eras: LEGACY,
    kind: 'request',
    params: ['protocolVersion', 'capabilities', 'clientInfo'],
    nameParam: null,
    needs: null,
    decided: `${UP_TO_SCOPE}; the answer names only what is passed on`,
    read: ({ params, base }) => {
      const { protocolVersion, capabilities = EMPTY, clientInfo = EMPTY } = params
      if (!isName(protocolVersion)) return invalid('`protocolVersion` must be text')
      if (!isJsonObject(capabilities)) return invalid('`capabilities` must be an object')
      if (!isJsonObject(clientInfo)) return invalid('`clientInfo` must be an object')
      // Legacy clients say what they can do once, here.
      return ok(step('initialize', { ...base, version: protocolVersion, capabilities }))
    },
  },

  ping: {
    eras: LEGACY,
    kind: 'request',
    params: [],
    nameParam: null,
    needs: null,
    decided: UP_TO_SCOPE,
    read: ({ base }) => ok(step('ping', base)),
  },

  'logging/setLevel': {
    eras: LEGACY,
    kind: 'request',
    params: ['level'],
    nameParam: null,
    needs: null,
    decided: UP_TO_SCOPE,
    read: ({ params, base }) =>
      isName(params['level'])
        ? ok(step('logging/setLevel', base))
        : invalid('`level` must be text'),
  },

  'server/discover': {
    eras: MODERN,
    kind: 'request',
    params: [],
    nameParam: null,
    needs: null,
    decided: `${UP_TO_SCOPE}; the answer names only what is passed on`,
    read: ({ base }) => ok(step('server/discover', base)),
  },

  'notifications/initialized': {
    eras: LEGACY,
    kind: 'notification',
    params: [],
    nameParam: null,
    needs: null,
    decided: UP_TO_SCOPE,
    read: ({ base }) => ok(step('notifications/initialized', base)),
  },

  'notifications/cancelled': {
    // Over modern HTTP closing the stream is the cancel, but SDK v2 clients send this as well.
    eras: BOTH,
    kind: 'notification',
    params: ['requestId', 'reason'],
    nameParam: null,
    needs: null,
    decided: `${UP_TO_SCOPE}; passed on within a session alone`,
    read: ({ params, base }) => {
      const { requestId, reason = '' } = params
      if (!isToken(requestId)) return invalid('`requestId` must be text or an integer')
      if (typeof reason !== 'string') return invalid('`reason` must be text')
      return ok(step('notifications/cancelled', base))
    },
  },

  'notifications/progress': {
    // About a request of the server's own.
    eras: LEGACY,
    kind: 'notification',
    params: ['progressToken', 'progress', 'total', 'message'],
    nameParam: null,
    needs: null,
    decided: `${UP_TO_SCOPE}; passed on within a session alone`,
    read: ({ params, base }) =>
      isToken(params['progressToken']) && typeof params['progress'] === 'number'
        ? ok(step('notifications/progress', base))
        : invalid('`progressToken` must be text or an integer, `progress` a number'),
  },

  'notifications/roots/list_changed': {
    eras: LEGACY,
    kind: 'notification',
    params: [],
    nameParam: null,
    needs: null,
    decided: `${UP_TO_SCOPE}; says nothing but that they changed`,
    read: ({ base }) => ok(step('notifications/roots/list_changed', base)),
  },
}

const isToken = (value: unknown): boolean =>
  typeof value === 'string' || Number.isSafeInteger(value)

const step = <M extends ProtocolStep['method']>(method: M, base: Base) =>
  ({ kind: 'protocol', method, ...base }) as const
