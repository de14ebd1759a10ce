// Verifies what a key signed that came with the request itself: a proof of possession.

import { importJWK } from 'jose'
import type { Algorithm } from './issuer.ts'
import { importable, type CarriedKey } from './jwk.ts'
import { isSigned, type Jws } from './jws.ts'

/** The key was read strictly; whether it may be used at all is the caller's question. */
export async function isSignedBy(
  jws: Jws,
  { material }: Pick<CarriedKey, 'material'>,
  algorithm: Algorithm,
): Promise<boolean> {
  const key = await importKey(material, algorithm)
  return key !== null && isSigned(jws, key, algorithm)
}

/** Null: a point that is not on its curve, so that no signature can come from it. */
async function importKey(
  material: CarriedKey['material'],
  algorithm: Algorithm,
): Promise<CryptoKey | null> {
  try {
    const key = await importJWK(importable({ material }), algorithm)
    return key instanceof Uint8Array ? null : key
  } catch {
    return null
  }
}
