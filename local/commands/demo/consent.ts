import { PageVisitor, type Page } from '../../pages-client.ts'
import { ALLOW, deny, type Step, type Tour } from './tour.ts'

const INBOX = { server: 'mail', tool: 'read_inbox', args: {} }
const REFUSED = deny('consent_required')

export const consent: Step = {
  title: 'A program acts for a person only as that person allowed, on a page of their own',
  async run(tour) {
    const token = await tour.token({ sub: 'alice', client: 'acme-agent', server: 'mail' })
    await tour.expect('acme-agent reads alice’s mail', REFUSED, { token, ...INBOX })

    const alice = new PageVisitor(tour.stack)
    await alice.signIn('mail', 'alice')
    const ask = await alice.get('/consents/mail?client=acme-agent&tool=read_inbox')
    const granted = await alice.submit(ask, '/consents/mail/grant', { until: 'hour' })
    done(tour, 'alice signs in and allows it for one hour', granted, 'granted')
    await tour.expect('the same call, same token', ALLOW, { token, ...INBOX })
    await tour.expect('another program for alice', REFUSED, {
      token: await tour.token({ sub: 'alice', client: 'other-agent', server: 'mail' }),
      ...INBOX,
    })

    const list = await alice.get('/consents/mail')
    const withdrawn = await alice.submit(list, '/consents/mail/withdraw')
    done(tour, 'alice withdraws it', withdrawn, 'withdrawn')
    await tour.expect('the same call, same token', REFUSED, { token, ...INBOX })
  },
}

function done(tour: Tour, what: string, { status, location }: Page, word: string): void {
  const seen = `${status} ${location ?? ''}`
  tour.check(what, status === 303 && location === `/consents/mail?done=${word}`, seen, word)
}
