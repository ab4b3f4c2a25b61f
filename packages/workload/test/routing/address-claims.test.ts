import { describe, expect, it } from 'vitest'
import { AddressClaims, type ServiceAddress } from '../../src/routing/index.ts'

const address = (ip: string, kind: ServiceAddress['kind'] = 'external'): ServiceAddress => ({
  key: `TCP ${ip} 80`,
  kind,
  protocol: 'TCP',
  ip,
  port: 80,
})

describe('AddressClaims', () => {
  it('leaves an address to whoever has it, and passes it on when it is free', () => {
    const claims = new AddressClaims()
    claims.set('z', [address('1.1.1.1')])
    expect([...claims.set('a', [address('1.1.1.1'), address('2.2.2.2')])]).toEqual([])
    expect(claims.owned('a').map(({ ip }) => ip)).toEqual(['2.2.2.2'])
    expect(claims.denied('a').map(([{ ip }, owner]) => [ip, owner])).toEqual([['1.1.1.1', 'z']])
    expect([...claims.set('z', [])]).toEqual(['a'])
    expect(claims.owned('a').map(({ ip }) => ip)).toEqual(['1.1.1.1', '2.2.2.2'])
  })

  it('gives a cluster IP to its service although somebody has it as an external IP', () => {
    const claims = new AddressClaims()
    claims.set('thief', [address('10.96.0.1')])
    expect([...claims.set('web', [address('10.96.0.1', 'cluster')])]).toEqual(['thief'])
    expect(claims.owned('web')).toHaveLength(1)
    expect(claims.owned('thief')).toEqual([])
  })

  it('forgets what is cleared', () => {
    const claims = new AddressClaims()
    claims.set('a', [address('1.1.1.1')])
    claims.clear()
    expect(claims.owned('a')).toEqual([])
    claims.set('b', [address('1.1.1.1')])
    expect(claims.owned('b')).toHaveLength(1)
  })
})
