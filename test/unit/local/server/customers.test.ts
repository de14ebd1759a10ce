import { expect, test } from 'vitest'
import { openingCustomers, STAGES } from '../../../../local/server/customers.ts'

test('the data is the same each time and shared with nobody', () => {
  expect(openingCustomers()).toEqual(openingCustomers())
  expect(openingCustomers()[0]).not.toBe(openingCustomers()[0])
})

test('forty customers, each its own company, in every stage', () => {
  const customers = openingCustomers()
  expect(customers).toHaveLength(40)
  expect(customers[0]?.id).toBe('C-1001')
  expect(customers.at(-1)?.id).toBe('C-1040')
  expect(new Set(customers.map(({ company }) => company)).size).toBe(40)
  expect(new Set(customers.map(({ stage }) => stage))).toEqual(new Set(STAGES))
})

test('mail addresses use a reserved name and reach nobody (RFC 2606 §2)', () => {
  for (const { email } of openingCustomers()) expect(email).toMatch(/^[a-z.]+@[a-z-]+\.example$/)
})
