// Pure. Every expected "no" of the pages, and what the person is told.

export type PageRefusal =
  | 'host_not_allowed'
  | 'server_unknown'
  | 'switched_off'
  | 'unsafe_configuration'
  | 'unavailable'
  | 'issuer_unavailable'
  | 'login_not_offered'
  | 'login_not_started'
  | 'login_cancelled'
  | 'login_invalid'
  | 'person_not_allowed'
  | 'not_signed_in'
  | 'not_administrator'
  | 'cross_site'
  | 'form_malformed'
  | 'form_altered'
  | 'form_old'
  | 'form_used'
  | 'client_not_offered'
  | 'not_offered'
  | 'changed_meanwhile'
  | 'too_many_consents'
  | 'consent_unknown'
  | 'moved_meanwhile'
  | 'revocation_unknown'
  | 'revocation_of_stream'
  | 'fault'

export interface PageExplanation {
  readonly status: number
  readonly title: string
  readonly sentence: string
}

/** Exhaustive by its type: a new refusal does not compile until it is told. */
export const PAGE_REFUSALS: Readonly<Record<PageRefusal, PageExplanation>> = {
  host_not_allowed: say(403, 'Not served here', 'These pages are not served under this address.'),
  server_unknown: say(404, 'No such page', 'No MCP server of that name is served here.'),
  switched_off: say(
    403,
    'Switched off',
    'This server is switched off. An administrator knows why.',
  ),
  unsafe_configuration: say(
    503,
    'Not in service',
    'This deployment is not safe to serve. An operator finds the reason at /healthz.',
  ),
  unavailable: say(503, 'Not now', 'This cannot be answered now. Try again in a moment.'),
  issuer_unavailable: say(
    503,
    'Sign-in is not available',
    'The service where you sign in does not answer, or not as it should. Try again in a moment.',
  ),
  login_not_offered: say(
    404,
    'Nobody can sign in here',
    'No sign-in is set up for this server. An administrator can do that.',
  ),
  login_not_started: say(
    400,
    'Start the sign-in again',
    'This sign-in was not started in this browser, was used already, or took too long.',
  ),
  login_cancelled: say(
    400,
    'You are not signed in',
    'The service where you sign in did not let you in, or you turned back.',
  ),
  login_invalid: say(
    403,
    'You are not signed in',
    'What the service where you sign in said is not valid for this server.',
  ),
  person_not_allowed: say(
    403,
    'You cannot sign in here',
    'Your access to this server was taken back. An administrator knows why.',
  ),
  not_signed_in: say(
    401,
    'Sign in first',
    'You are not signed in, or no longer. Open the page again.',
  ),
  not_administrator: say(
    403,
    'For administrators',
    'This page is for administrators who come through Cloudflare Access.',
  ),
  cross_site: say(
    403,
    'Not done',
    'This form was not sent from its own page. Nothing was changed.',
  ),
  form_malformed: say(400, 'Not done', 'This form cannot be read. Nothing was changed.'),
  form_altered: say(
    403,
    'Not done',
    'This form is not what this page gave to you. Nothing was changed. Open the page again.',
  ),
  form_old: say(400, 'Not done', 'This form is too old. Nothing was changed. Open the page again.'),
  form_used: say(
    409,
    'Already done',
    'This form was sent before. Nothing was changed this time. Open the page again.',
  ),
  client_not_offered: say(
    403,
    'Nothing to allow',
    'No program of that name may act for people here. Somebody may have given you a wrong link.',
  ),
  not_offered: say(
    403,
    'Nothing to allow',
    'There is nothing by that name that this program could do for you here.',
  ),
  changed_meanwhile: say(
    409,
    'Look again',
    'The tool was changed since you opened the page. Nothing was allowed. Open the page again.',
  ),
  too_many_consents: say(
    429,
    'Not today',
    'You have allowed this program something very often within a day. Nothing was changed. It can be done again tomorrow.',
  ),
  consent_unknown: say(404, 'No such consent', 'There is no such consent at this server.'),
  moved_meanwhile: say(
    409,
    'Look again',
    'Somebody changed this since you opened the page, or this form was sent before. Nothing was done. Open the page again.',
  ),
  revocation_unknown: say(404, 'No such revocation', 'There is no such revocation in this tenant.'),
  revocation_of_stream: say(
    403,
    'Not lifted here',
    'An identity provider told this through a stream of signals. It is taken back where it was said.',
  ),
  fault: say(
    500,
    'Something went wrong',
    'Whether anything was changed is not known. Open the page again: it shows what holds.',
  ),
}

function say(status: number, title: string, sentence: string): PageExplanation {
  return { status, title, sentence }
}
