// Routes of the pages, and the one place where a "no" becomes a page.
import { Hono, type Context } from 'hono'
import { ConfigError } from '../config.ts'
import { CALLBACK_PATH, consentPath, STYLESHEET_PATH } from '../page-addresses.ts'
import { atSite, movedTo, pageOf, refused, toConsents, type Answer } from './answer.ts'
import { consoleRoutes } from './console/routes.ts'
import { clearCookie } from './cookies.ts'
import { answersTo, beginLogin, finishLogin, pendingLogin } from './login.ts'
import { pageResponse, seeOther } from './pages/layout.ts'
import { signInPage } from './pages/message-page.ts'
import { STYLESHEET } from './pages/stylesheet.ts'
import type { People } from './people.ts'
import { beginSession, endSession, personAt } from './session.ts'
import { loginIssuers, type Site } from './site.ts'
import { listAll, withdrawAny } from './administer.ts'
import { titleOf } from './listed.ts'
import { afterLogin, grant, listConsents, logout, withdraw } from './visit.ts'
import { readWanted } from './wanted.ts'

/** Mounted before the MCP endpoints, whose paths are `/{server}/mcp`: a server may be called `mcp`. */
export function peopleRoutes(peopleOf: (env: Env) => People): Hono<{ Bindings: Env }> {
  const routes = new Hono<{ Bindings: Env }>()
  type At = Context<{ Bindings: Env }>

  const atServer =
    (answer: (site: Site) => Answer) =>
    (context: At): Promise<Response> =>
      atSite(peopleOf(context.env), context.req.raw, context.req.param('server'), answer)

  routes.get(STYLESHEET_PATH, (context) =>
    context.body(STYLESHEET, 200, {
      'content-type': 'text/css; charset=utf-8',
      'cache-control': 'public, max-age=300',
      'x-content-type-options': 'nosniff',
    }),
  )
  routes.get(CALLBACK_PATH, (context) => comeBack(peopleOf(context.env), context.req.raw))
  routes.get('/consents/:server', atServer(show))
  routes.get('/consents/:server/login', atServer(goOut))
  routes.post('/consents/:server/grant', atServer(movedTo(grant)))
  routes.post('/consents/:server/withdraw', atServer(movedTo(withdraw)))
  routes.post('/consents/:server/logout', atServer(signOut))
  routes.get('/consents/:server/all', atServer(pageOf(listAll)))
  routes.post('/consents/:server/all/withdraw', atServer(movedTo(withdrawAny)))
  routes.route('/', consoleRoutes(peopleOf))
  routes.onError((fault) => {
    // The setting itself is told at the other doors and at /healthz, for the operator.
    if (fault instanceof ConfigError) return refused('unsafe_configuration', null)
    console.error('fault', fault.stack)
    return refused('fault', null)
  })
  return routes
}

async function show(site: Site): Promise<Response> {
  const person = await personAt(site)
  if (person.ok) return pageOf((at) => listConsents(at, person.value))(site)
  if (person.error !== 'not_signed_in') return refused(person.error, null)
  const issuers = loginIssuers(site).map(({ url }) => url)
  if (issuers.length === 0) return refused('login_not_offered', null)
  const wanted = readWanted(new URL(site.request.url).searchParams)
  return pageResponse(signInPage({ server: site.name, title: titleOf(site), issuers, wanted }))
}

async function goOut(site: Site): Promise<Response> {
  // Another site may link to a page, but not send a browser through a login.
  const from = site.request.headers.get('sec-fetch-site')
  if (from !== null && from !== 'same-origin' && from !== 'none') {
    return seeOther(consentPath(site.name))
  }
  const query = new URL(site.request.url).searchParams
  const way = await beginLogin(site, query.get('issuer'), readWanted(query))
  return way.ok
    ? seeOther(way.value.location, [way.value.cookie])
    : refused(way.error, toConsents(site.name))
}

/** INVARIANT: an answer to the pending login uses it up, whatever comes of it. */
async function comeBack(people: People, request: Request): Promise<Response> {
  const pending = pendingLogin(people, request)
  if (pending === null) return refused('login_not_started', null)
  if (!answersTo(pending, request)) return refused('login_not_started', toConsents(pending.server))
  const used = clearCookie(request, 'login')
  const back = await finishLogin(people, request, pending)
  if (!back.ok) return refused(back.error, toConsents(pending.server), [used])
  const { site, somebody, wanted } = back.value
  const cookie = await beginSession(people, request, somebody)
  return seeOther(afterLogin(site.name, wanted), [used, cookie])
}

async function signOut(site: Site): Promise<Response> {
  const out = await logout(site)
  if (!out.ok) return refused(out.error, toConsents(site.name))
  return seeOther(out.value, [await endSession(site.people, site.request)])
}
