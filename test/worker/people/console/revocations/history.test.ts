import { expect, it } from 'vitest'
import { administrator, CAROL, withAccess } from '../../../../support/worker/access.ts'
import { historyOf, LIFT, liftForm, revoke, ROOM } from '../../../../support/worker/console.ts'
import { withLogin, type Page } from '../../../../support/worker/pages.ts'
import { person, RISC, seconds, tell, withStream } from '../../../../support/worker/signals.ts'
import { inThisWorld, newUser, sql } from '../../../../support/worker/world.ts'

inThisWorld()
withLogin()
withAccess()
withStream()

/** What the page says was done to this id, the latest first. */
const toldOf = ({ text }: Page, id: string): string[] =>
  text
    .split('<article')
    .slice(1)
    .filter((card) => card.includes(id))
    .map((card) => (/<dl>[^]*?<\/dl>/.exec(card)?.[0] ?? '').replace(/<[^>]*>|\s+/g, ' '))
    .map((words) => {
      const [, what = '', by = ''] =
        /^\s*(\w+)\s.*?\)\s+by\s+(.*?)\s+(?:Issuer|Only|Why|$)/.exec(words) ?? []
      return `${what} by ${by.replace(/\s+/g, ' ').trim()}`
    })

it('says who revoked and lifted: people, streams, and SQL', async () => {
  const sub = await newUser()
  const at = seconds()
  await tell(`${RISC}account-disabled`, person(sub), {}, { claims: { iat: at - 20 } })
  await tell(`${RISC}account-enabled`, person(sub), {}, { claims: { iat: at - 10 } })
  const carol = await administrator()
  await revoke(carol, 'subject', sub)
  await carol.post(LIFT, await liftForm(carol, sub))
  await sql(
    `INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'subject', '${sub}')`,
    `DELETE FROM revocations WHERE id = '${sub}'`,
  )
  const [told] = await historyOf(sub)
  const stream = (told?.source ?? '').replace('/account', '')
  expect(toldOf(await carol.get(`${ROOM}/history`), sub)).toEqual([
    'Lifted by SQL',
    'Revoked by SQL',
    `Lifted by administrator ${CAROL}`,
    `Revoked by administrator ${CAROL}`,
    `Lifted by the stream ${stream}`,
    `Revoked by the stream ${stream}`,
  ])
})

it('what SQL lifts of a stream was not lifted by the stream', async () => {
  const sub = await newUser()
  await tell(`${RISC}account-disabled`, person(sub))
  await sql(`DELETE FROM revocations WHERE id = '${sub}'`)
  const carol = await administrator()
  expect(toldOf(await carol.get(`${ROOM}/history`), sub)[0]).toBe('Lifted by SQL')
})

it('names whoever lifts or changes by SQL what a stream said', async () => {
  const sub = await newUser()
  await tell(`${RISC}account-disabled`, person(sub))
  await sql(
    `UPDATE revocations SET revoked_by = 'erik', revoked_at = revoked_at + 1 WHERE id = '${sub}'`,
    `UPDATE revocations SET lifted_by = 'dora, on call' WHERE id = '${sub}'`,
    `DELETE FROM revocations WHERE id = '${sub}'`,
  )
  const carol = await administrator()
  const told = toldOf(await carol.get(`${ROOM}/history`), sub)
  expect(told.slice(0, 2)).toEqual(['Lifted by dora, on call', 'Changed by erik'])
  expect(told[2]).toContain('Revoked by the stream')
})

it('goes back page by page', async () => {
  await sql(
    ...Array.from(
      { length: 60 },
      (_, n) =>
        `INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'token', 'paged-${n}.')`,
    ),
  )
  const carol = await administrator()
  const first = await carol.get(`${ROOM}/history`)
  expect(first.text.match(/paged-\d+\./g)).toHaveLength(50)
  const older = /<a href="([^"]+before=\d+)">Older/.exec(first.text)?.[1] ?? ''
  expect((await carol.get(older)).text.match(/paged-\d\./g)).toHaveLength(10)
})
