import { isOurs, type Config } from '../config.ts'
import { audienceOf } from './receive.ts'

const MAX_AGE_SECONDS = 60

/** AuthZEN 1.0 §9: named by the origin under which it was asked for, which it must match. */
export function configurationResponse(request: Request, config: Config): Response {
  if (!isOurs(request, config)) return new Response('not served here', { status: 403 })
  const { origin } = new URL(request.url)
  return Response.json(
    {
      policy_decision_point: origin,
      access_evaluation_endpoint: `${audienceOf(origin)}/evaluation`,
      access_evaluations_endpoint: `${audienceOf(origin)}/evaluations`,
    },
    { headers: { 'cache-control': `public, max-age=${MAX_AGE_SECONDS}` } },
  )
}
