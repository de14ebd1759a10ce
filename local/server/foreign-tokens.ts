// Tokens that no server behind Sallyport should ever see: those of clients, which are for Sallyport.

/** Tokens in a request that are for somebody else than this address. */
export function foreignTokens(request: Request, body: string, self: string): string[] {
  const everything = [request.url, ...[...request.headers].flat(), body]
  const foreign = everything
    .flatMap((text) => text.match(JWT) ?? [])
    .filter((token) => audienceOf(token) !== self)
  const shown = /^(?:Bearer|DPoP) +(.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
  // One that says nothing by itself is for nobody here: neither Sallyport nor its issuer gives such.
  return shown === undefined || JWT.test(shown) ? foreign : [...foreign, shown]
}

const JWT = /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/

function audienceOf(token: string): unknown {
  try {
    const claims = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')
    return (JSON.parse(atob(claims)) as { aud?: unknown }).aud
  } catch {
    return null
  }
}
