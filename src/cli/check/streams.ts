// Streams of signals and aliases of subjects: whether what they tell can have an effect here.
import { ACCESS } from '../../pdp/evaluation.ts'
import { MEMBERS } from '../../signals/subjects.ts'
import { readStream } from '../../signals/stream.ts'
import { hint } from './hint.ts'
import { textsOf } from './json-column.ts'
import type { CheckInput, Finding, RowCheck } from './problem.ts'
import type { TenantRows } from '../scratch/tenant-rows.ts'

/** As a deployment reads them; a loopback address is for local seeds only. */
const PUBLIC = { allowLoopback: false, ownHosts: new Set<string>() }

type StreamRow = TenantRows['tables']['signalStreams'][number]

/** Who could be shown what was meant for another tenant; said of one of the two. */
const sharesAudience = (row: StreamRow, { tenants }: CheckInput): StreamRow | undefined =>
  tenants
    .flatMap(({ tables }) => tables.signalStreams)
    .find(
      (other) =>
        other.tenant !== row.tenant &&
        other.id < row.id &&
        other.audience === row.audience &&
        (other.transmitter ?? other.issuer) === (row.transmitter ?? row.issuer),
    )

export const streamsAreHeard: RowCheck = ({ tenant, tables }, input) =>
  tables.signalStreams.flatMap((row): Finding[] => {
    const at = { table: 'signal_streams', key: [row.id] } as const
    const issuer = tables.issuers.find(({ url }) => url === row.issuer)
    if (issuer === undefined) {
      const known = tables.issuers.map(({ url }) => url)
      const message = `tenant \`${tenant}\` has no issuer \`${row.issuer}\`, byte for byte; ${hint(row.issuer, known)}`
      return [{ ...at, code: 'unknown_issuer', message }]
    }
    const read = readStream(row, issuer, PUBLIC)
    const access = textsOf(row.raisedAccess)
    const unknown = access.texts.filter((one) => !ACCESS.some((known) => known === one))
    const shared = sharesAudience(row, input)
    const critical = textsOf(row.criticalMembers).texts.filter(
      (one) => !MEMBERS.some((known) => known === one),
    )
    return [
      ...(read.ok
        ? []
        : [
            {
              ...at,
              code: 'stream_unusable',
              message: `${read.error}; until then nothing is received`,
            },
          ]),
      ...unknown.map((one) => ({
        ...at,
        code: 'unknown_access',
        message: `raised_access names \`${one}\`; ${hint(one, ACCESS)}`,
      })),
      ...critical.map((one) => ({
        ...at,
        code: 'warn_critical_member',
        message: `events with a \`${one}\` in their subject are discarded, because nothing here knows it`,
      })),
      ...(issuer.tenantClaim !== null && row.tenantName === null
        ? [
            {
              ...at,
              code: 'warn_tenant_unnamed',
              message:
                'the issuer serves several tenants, and what is about another one of them would count here; say in tenant_name how it calls this one',
            },
          ]
        : []),
      ...(shared === undefined
        ? []
        : [
            {
              ...at,
              code: 'warn_audience_shared',
              message: `stream \`${shared.id}\` of tenant \`${shared.tenant}\` takes events of the same transmitter for the same audience; agree on an audience for each`,
            },
          ]),
      ...(row.delivery === 'poll' &&
      row.maxSilenceSeconds !== null &&
      row.maxSilenceSeconds <= row.pollEverySeconds
        ? [
            {
              ...at,
              code: 'warn_silence_between_polls',
              message: `nobody asks for ${row.pollEverySeconds} s, so the stream is silent in between; set max_silence_s to more than poll_every_s`,
            },
          ]
        : []),
      ...(row.active && row.maxSilenceSeconds === null
        ? [
            {
              ...at,
              code: 'warn_silence_unnoticed',
              message:
                'nobody notices when this stream falls silent; set max_silence_s to a little more than the time between its verification events',
            },
          ]
        : []),
      ...(row.active && row.onSilence === 'warn' && row.maxSilenceSeconds !== null
        ? [
            {
              ...at,
              code: 'warn_silence_allowed',
              message:
                "a silent stream is shown by /healthz and stops nothing; set on_silence to 'deny' if its issuer's tokens must not count without it",
            },
          ]
        : []),
      ...(row.raisedAcr === null && access.texts.length > 0
        ? [
            {
              ...at,
              code: 'warn_raised_without_login',
              message:
                'while a risk is raised or a device is not compliant these classes are refused, and no login helps; name one in raised_acr if it may',
            },
          ]
        : []),
    ]
  })

export const aliasesAreUsed: RowCheck = ({ tenant, tables }) =>
  tables.subjectAliases.flatMap(({ issuer, member, format, value, subject }): Finding[] => {
    const at = {
      table: 'subject_aliases',
      key: [tenant, issuer, member, format, value, subject],
    } as const
    const streams = tables.signalStreams.map((row) => row.issuer)
    if (streams.includes(issuer)) return []
    const message = `no stream speaks of issuer \`${issuer}\`, so nobody asks for this row; ${hint(issuer, streams)}`
    return [{ ...at, code: 'warn_alias_unused', message }]
  })
