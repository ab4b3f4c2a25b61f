import { isIP } from 'node:net'
import { ContinuoError } from '@continuo/core'
import type { ResolvConf } from '@continuo/workload'
import type { UpstreamAddress } from './upstream.ts'

/** `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]:5353`; nothing for anything else. */
export function parseServer(text: string): UpstreamAddress | undefined {
  if (isIP(text) !== 0) return { host: text, port: 53 }
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain ?? ''
  const port = Number(digits)
  const family = isIP(host)
  return family !== 0 && (family === 6) === (bracketed !== undefined) && port > 0 && port < 65_536 ? { host, port } : undefined
}

/**
 * The servers to forward to: those that are named, else those of the machine's `resolv.conf`, of which our own addresses are left out.
 * Throws `DNS_UPSTREAM_LOOP` when our own address is named. Pure.
 */
export function chooseUpstreams(
  named: readonly string[] | undefined,
  machine: ResolvConf,
  own: readonly UpstreamAddress[],
): UpstreamAddress[] {
  const isOwn = (one: UpstreamAddress): boolean => own.some(({ host, port }) => host === one.host && port === one.port)
  const addresses = (named ?? machine.nameservers).flatMap((text) => parseServer(text) ?? [])
  const looping = named === undefined ? undefined : addresses.find(isOwn)
  if (looping !== undefined)
    throw new ContinuoError('DNS_UPSTREAM_LOOP', `upstream ${looping.host}:${looping.port} is this name server itself`, {
      hint: 'name servers that do not ask this one',
    })
  return addresses.filter((one) => !isOwn(one))
}
