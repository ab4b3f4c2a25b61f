import { parseResolvConf } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { chooseUpstreams, parseServer } from '../../src/forward/read-upstreams.ts'

describe('a server', () => {
  it.each([
    ['192.0.2.1', { host: '192.0.2.1', port: 53 }],
    ['192.0.2.1:5353', { host: '192.0.2.1', port: 5353 }],
    ['2001:db8::1', { host: '2001:db8::1', port: 53 }],
    ['[2001:db8::1]:5353', { host: '2001:db8::1', port: 5353 }],
    ['dns.example.com', undefined],
    ['192.0.2.1:0', undefined],
    ['192.0.2.1:99999', undefined],
    ['[192.0.2.1]:53', undefined],
    ['', undefined],
  ])('is read from %j', (text, expected) => {
    expect(parseServer(text)).toEqual(expected)
  })
})

describe('upstreams', () => {
  const machine = parseResolvConf('nameserver 192.0.2.1\nnameserver 127.96.0.10\nnameserver fe80::1%eth0\n')
  const own = [{ host: '127.96.0.10', port: 53 }]

  it('are those of the machine, without ourselves', () => {
    expect(chooseUpstreams(undefined, machine, own)[0]).toEqual({ host: '192.0.2.1', port: 53 })
    expect(chooseUpstreams(undefined, machine, own)).not.toContainEqual(own[0])
  })

  it('are those that are named instead', () => {
    expect(chooseUpstreams(['192.0.2.7'], machine, own)).toEqual([{ host: '192.0.2.7', port: 53 }])
    expect(chooseUpstreams([], machine, own)).toEqual([])
  })

  it('are refused when they are this server', () => {
    expect(() => chooseUpstreams(['127.96.0.10'], machine, own)).toThrow(expect.objectContaining({ code: 'DNS_UPSTREAM_LOOP' }))
    expect(chooseUpstreams(['127.96.0.10:5353'], machine, own)).toHaveLength(1)
  })
})
