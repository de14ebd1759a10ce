// Routes of the console, for administrators.
import { Hono, type Context } from 'hono'
import { revocationsPath } from '../../page-addresses.ts'
import { atSite, movedTo, pageOf, refused, type Answer } from '../answer.ts'
import { seeOther } from '../pages/layout.ts'
import type { WayBack } from '../pages/message-page.ts'
import type { People } from '../people.ts'
import type { Site } from '../site.ts'
import { lookAfter } from './revocations/ended.ts'
import { lift, listRevocations, revoke, showHistory } from './revocations/visit.ts'

export function consoleRoutes(peopleOf: (env: Env) => People): Hono<{ Bindings: Env }> {
  const routes = new Hono<{ Bindings: Env }>()
  type At = Context<{ Bindings: Env }>

  const atServer =
    (answer: (site: Site, context: At) => Answer) =>
    (context: At): Promise<Response> =>
      atSite(peopleOf(context.env), context.req.raw, context.req.param('server'), (site) =>
        answer(site, context),
      )

  routes.get('/console/:server/revocations', atServer(pageOf(listRevocations, toRevocations)))
  routes.get('/console/:server/revocations/history', atServer(pageOf(showHistory, toRevocations)))
  routes.post('/console/:server/revocations/revoke', atServer(takeBack))
  routes.post('/console/:server/revocations/lift', atServer(movedTo(lift, toRevocations)))
  return routes
}

async function takeBack(site: Site, { executionCtx }: Context): Promise<Response> {
  const done = await revoke(site)
  if (!done.ok) return refused(done.error, toRevocations(site.name))
  executionCtx.waitUntil(lookAfter(site, done.value.wanted))
  return seeOther(done.value.location)
}

const toRevocations = (server: string): WayBack => ({
  path: revocationsPath(server),
  words: 'Back to the revocations',
})
