// Streams of signals and aliases of subjects: whether what they tell can have an effect here.
import { ACCESS } from '../../pdp/evaluation.ts'
import { MEMBERS } from '../../signals/subjects.ts'
import { readStream } from '../../signals/stream.ts'
import { hint } from './hint.ts'
import { textsOf } from './json-column.ts'
import type { Finding, RowCheck } from './problem.ts'

/** As a deployment reads them; a loopback address is for local seeds only. */
const PUBLIC = { allowLoopback: false, ownHosts: new Set<string>() }

export const streamsAreHeard: RowCheck = ({ tenant, tables }) =>
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
