// How every page answers: opened by the server in its path, and each "no" shown as a page.
import { consentPath } from '../page-addresses.ts'
import type { Result } from '../result.ts'
import { pageResponse, seeOther, type Html } from './pages/layout.ts'
import { refusalPage, type WayBack } from './pages/message-page.ts'
import type { People } from './people.ts'
import { PAGE_REFUSALS, type PageRefusal } from './refusal.ts'
import { openSite, type Site } from './site.ts'

export type Answer = Response | Promise<Response>

export async function atSite(
  people: People,
  request: Request,
  server: string | undefined,
  answer: (site: Site) => Answer,
): Promise<Response> {
  const site = await openSite(people, request, server ?? '')
  return site.ok ? answer(site.value) : refused(site.error, null)
}

export const toConsents = (server: string): WayBack => ({
  path: consentPath(server),
  words: 'Back to your consents',
})

export const pageOf =
  (page: (site: Site) => Promise<Result<Html, PageRefusal>>, back = toConsents) =>
  async (site: Site): Promise<Response> => {
    const result = await page(site)
    return result.ok ? pageResponse(result.value) : refused(result.error, back(site.name))
  }

export const movedTo =
  (act: (site: Site) => Promise<Result<string, PageRefusal>>, back = toConsents) =>
  async (site: Site): Promise<Response> => {
    const result = await act(site)
    return result.ok ? seeOther(result.value) : refused(result.error, back(site.name))
  }

export const refused = (
  refusal: PageRefusal,
  back: WayBack | null,
  cookies: readonly string[] = [],
): Promise<Response> =>
  pageResponse(refusalPage(refusal, back), PAGE_REFUSALS[refusal].status, cookies)
