import { ALLOW, deny, type Step } from './tour.ts'

const ECHO = { tool: 'echo', args: { text: 'hello' } }

export const revocation: Step = {
  title: 'One row revokes, from the next call on',
  async run(tour) {
    const token = await tour.token({ sub: 'alice', client: 'other-agent' })
    await tour.expect('alice calls through other-agent', ALLOW, { token, ...ECHO })
    await tour.sql(`INSERT INTO revocations (tenant, kind, id, reason)
      VALUES ('acme', 'client', 'other-agent', 'laptop lost')`)
    await tour.expect('the same call, same token', deny('revoked'), { token, ...ECHO })
    await tour.expect('alice through acme-agent', ALLOW, {
      token: await tour.token({ sub: 'alice', client: 'acme-agent' }),
      ...ECHO,
    })
    await tour.sql(`DELETE FROM revocations WHERE tenant = 'acme' AND id = 'other-agent'`)
    await tour.expect('lifted: the same token again', ALLOW, { token, ...ECHO })
  },
}
