import { describe, expect, it } from 'vitest'
import { expiresAt } from '../../src/kinds/certificates/expires-at.ts'

const created = '2026-03-01T00:00:00Z'
const decided = '2026-03-01T02:00:00Z'
const hourMs = 3_600_000
const request = (type?: string, certificate?: string, lastUpdateTime: string | undefined = decided) =>
  ({
    metadata: { name: 'r', creationTimestamp: created },
    status: { ...(type && { conditions: [{ type, status: 'True', lastUpdateTime }] }), ...(certificate && { certificate }) },
  }) as unknown as Parameters<typeof expiresAt>[0]

describe('a signing request goes', () => {
  it.each<[string, ReturnType<typeof request>, number | undefined]>([
    ['a day after it was made when nobody decided', request(), Date.parse(created) + 24 * hourMs],
    ['an hour after it was denied', request('Denied'), Date.parse(decided) + hourMs],
    ['an hour after it failed', request('Failed'), Date.parse(decided) + hourMs],
    ['an hour after it was approved and signed', request('Approved', 'bm9uZQ=='), Date.parse(decided) + hourMs],
    ['not while its signer has yet to sign', request('Approved'), undefined],
    ['an hour after it was made when a denial does not say when', request('Denied', undefined, ''), Date.parse(created) + hourMs],
  ])('%s', (_when, one, moment) => {
    expect(expiresAt(one)).toBe(moment)
  })
})
