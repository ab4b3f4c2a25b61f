import type { LookupAddress } from 'node:dns'
import { expect, it } from 'vitest'
import { checkedLookup, isReachable, RefusedAddressError } from '../src/reachable-address.ts'

const look = (hostname: string) =>
  new Promise<LookupAddress[]>((resolve, reject) =>
    checkedLookup(hostname, { all: true }, (error, found) => (error === null ? resolve(found as LookupAddress[]) : reject(error))),
  )

it.each(['169.254.169.254', '::ffff:169.254.169.254', 'fe80::1', '0.0.0.0', '::', '224.0.0.1', 'ff02::1'])(
  'does not dial %s',
  (address) => {
    expect(isReachable(address)).toBe(false)
  },
)

it('checks the very addresses that are dialled, so that a name cannot change its mind in between', async () => {
  await expect(look('169.254.169.254')).rejects.toBeInstanceOf(RefusedAddressError)
  for (const { address } of await look('localhost')) expect(isReachable(address)).toBe(true)
})
