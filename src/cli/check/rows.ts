// Rows that the core or door one refuses as they are.
import { parseAlgorithms } from '../../authentication/issuer.ts'
import { trustedUrl } from '../../authentication/url.ts'
import { compileRules } from '../../pdp/sequence/advance.ts'
import type { RowCheck } from './problem.ts'

export const rulesAreReadable: RowCheck = ({ tenant, rules }) =>
  compileRules('', rules)
    .problems()
    .map(({ id, problem }) => ({
      code: 'sequence_rule_unreadable',
      table: 'sequence_rules',
      key: [tenant, id],
      message: `${problem}; put it right, until then the rule holds for every call on its label`,
    }))

/** As a deployment reads them; a loopback address is for local seeds only. */
const PUBLIC = { allowLoopback: false, ownHosts: new Set<string>() }

export const serverUrlsAreTrusted: RowCheck = ({ servers }) =>
  [...servers.values()].flatMap(({ facts, url }) => {
    const trusted = trustedUrl(url, PUBLIC)
    if (trusted.ok) return []
    return [
      {
        code: 'server_url',
        table: 'servers',
        key: [facts.name],
        message: `${trusted.error}; give the public https address of the MCP endpoint`,
      },
    ]
  })

export const issuersAreTrusted: RowCheck = ({ tenant, issuers }) =>
  issuers.flatMap(({ url, jwksUri, algorithms }) => {
    const at = { table: 'issuers', key: [tenant, url] } as const
    const addresses = [trustedUrl(url, PUBLIC), trustedUrl(jwksUri, PUBLIC)]
    const refused = addresses.find((trusted) => !trusted.ok)
    const listed = parseAlgorithms(algorithms)
    return [
      ...(refused === undefined || refused.ok
        ? []
        : [
            { ...at, code: 'issuer_url', message: `${refused.error}; give a public https address` },
          ]),
      ...(listed.ok
        ? []
        : [{ ...at, code: 'issuer_algorithms', message: `${listed.error}; list supported ones` }]),
    ]
  })

export const toolsAreNamed: RowCheck = ({ tenant, servers }) =>
  [...servers.values()].flatMap(({ facts, toolRows }) =>
    toolRows
      .filter(({ name }) => name.includes('*'))
      .map(({ name }) => ({
        code: 'warn_pattern_without_pin',
        table: 'tools',
        key: [tenant, facts.name, name],
        message: `takes in tools that the server may add later, unseen; list tools by name where you can`,
      })),
  )
