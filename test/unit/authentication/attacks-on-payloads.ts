import { claim, attack, type Attack } from './attack.ts'
import { HEADER, json, PAYLOAD, sign, token } from './token-smith.ts'

export const PAYLOAD_ATTACKS: readonly Attack[] = [
  attack(
    'sub twice',
    () => sign(json(HEADER), json(PAYLOAD).replace('}', ',"sub":"admin"}')),
    'payload',
    'jose takes the last',
  ),
  attack(
    'sub twice by escape',
    () => sign(json(HEADER), json(PAYLOAD).replace('}', String.raw`,"\u0073ub":"admin"}`)),
    'payload',
    'the same name in other letters',
  ),
  claim('duplicate deep inside', { x: '{"a":[{"b":1,"b":2}]}' }, 'payload', 'at any depth'),
  claim('33 levels', { x: '['.repeat(32) + ']'.repeat(32) }, 'payload', 'depth bound'),
  claim(
    'a thousand levels',
    { x: '['.repeat(1000) + ']'.repeat(1000) },
    'payload',
    'the bound trips, not the stack',
  ),
  claim(
    'inexact number elsewhere',
    { x: '12345678901234567890' },
    'payload',
    'two readers, two numbers',
  ),
  attack(
    'an array',
    () => sign(json(HEADER), `[${json(PAYLOAD)}]`),
    'payload',
    'RFC 7519 §7.2: an object',
  ),
  attack('a string', () => sign(json(HEADER), '"alice"'), 'payload', 'RFC 7519 §7.2: an object'),
  attack('null', () => sign(json(HEADER), 'null'), 'payload', 'RFC 7519 §7.2: an object'),
  attack(
    'text after the object',
    () => sign(json(HEADER), `${json(PAYLOAD)}{}`),
    'payload',
    'two payloads',
  ),
  attack(
    'a trailing comma',
    () => sign(json(HEADER), json(PAYLOAD).replace('}', ',}')),
    'payload',
    'lax readers only',
  ),
  attack(
    'byte order mark',
    () => sign(json(HEADER), `\ufeff${json(PAYLOAD)}`),
    'payload',
    'jose accepts it',
  ),
  attack(
    'not UTF-8',
    () => sign(json(HEADER), new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
    'payload',
    'two decoders, two texts',
  ),
  attack(
    'a token inside a token',
    async () => sign(json({ ...HEADER, cty: '"JWT"' }), await token()),
    'payload',
    'nested JWT',
  ),
  claim(
    '__proto__ with a sub',
    { ['__proto__']: '{"sub":"admin"}', sub: '""' },
    'claim',
    'nothing is inherited',
  ),
]
