// Routes of the pages, and the one place where a "no" becomes a page.
import { Hono, type Context } from 'hono'
import { ConfigError } from '../config.ts'
import type { Result } from '../result.ts'
import { CALLBACK_PATH, consentPath, STYLESHEET_PATH } from './address.ts'
import { clearCookie } from './cookies.ts'
import { answersTo, beginLogin, finishLogin, pendingLogin } from './login.ts'
import { pageResponse, seeOther, type Html } from './pages/layout.ts'
import { refusalPage, signInPage } from './pages/message-page.ts'
import { STYLESHEET } from './pages/stylesheet.ts'
import type { People } from './people.ts'
import { PAGE_REFUSALS, type PageRefusal } from './refusal.ts'
import { beginSession, endSession, personAt } from './session.ts'
import { loginIssuers, openSite, type Site } from './site.ts'
import { listAll, withdrawAny } from './administer.ts'
import { titleOf } from './listed.ts'
import { afterLogin, grant, listConsents, logout, withdraw } from './visit.ts'
import { readWanted } from './wanted.ts'

type Answer = Response | Promise<Response>

/** Mounted before the MCP endpoints, whose paths are `/{server}/mcp`: a server may be called `mcp`. */
export function peopleRoutes(peopleOf: (env: Env) => People): Hono<{ Bindings: Env }> {
  const routes = new Hono<{ Bindings: Env }>()
  type At = Context<{ Bindings: Env }>

  const atServer =
    (answer: (site: Site) => Answer) =>
    async (context: At): Promise<Response> => {
      const name = context.req.param('server') ?? ''
      const site = await openSite(peopleOf(context.env), context.req.raw, name)
      return site.ok ? answer(site.value) : refused(site.error, null)
    }

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
  routes.post('/consents/:server/grant', atServer(moved(grant)))
  routes.post('/consents/:server/withdraw', atServer(moved(withdraw)))
  routes.post('/consents/:server/logout', atServer(signOut))
  routes.get('/consents/:server/all', atServer(shown(listAll)))
  routes.post('/consents/:server/all/withdraw', atServer(moved(withdrawAny)))
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
  if (person.ok) return shown((at) => listConsents(at, person.value))(site)
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
  return way.ok ? seeOther(way.value.location, [way.value.cookie]) : refused(way.error, site.name)
}

/** INVARIANT: an answer to the pending login uses it up, whatever comes of it. */
async function comeBack(people: People, request: Request): Promise<Response> {
  const pending = pendingLogin(people, request)
  if (pending === null) return refused('login_not_started', null)
  if (!answersTo(pending, request)) return refused('login_not_started', pending.server)
  const used = clearCookie(request, 'login')
  const back = await finishLogin(people, request, pending)
  if (!back.ok) return refused(back.error, pending.server, [used])
  const { site, somebody, wanted } = back.value
  const cookie = await beginSession(people, request, somebody)
  return seeOther(afterLogin(site.name, wanted), [used, cookie])
}

async function signOut(site: Site): Promise<Response> {
  const out = await logout(site)
  if (!out.ok) return refused(out.error, site.name)
  return seeOther(out.value, [await endSession(site.people, site.request)])
}

const shown =
  (page: (site: Site) => Promise<Result<Html, PageRefusal>>) =>
  async (site: Site): Promise<Response> => {
    const result = await page(site)
    return result.ok ? pageResponse(result.value) : refused(result.error, site.name)
  }

const moved =
  (act: (site: Site) => Promise<Result<string, PageRefusal>>) =>
  async (site: Site): Promise<Response> => {
    const result = await act(site)
    return result.ok ? seeOther(result.value) : refused(result.error, site.name)
  }

const refused = (
  refusal: PageRefusal,
  server: string | null,
  cookies: readonly string[] = [],
): Promise<Response> =>
  pageResponse(refusalPage(refusal, server), PAGE_REFUSALS[refusal].status, cookies)
