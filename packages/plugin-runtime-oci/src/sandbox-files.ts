import type { SandboxSpec } from '@continuo/workload'

/** The files that all containers of a sandbox see, by name. Pure. */
export function sandboxFiles({ hostname, hostAliases, dns }: SandboxSpec, ips: readonly string[]): Readonly<Record<string, string>> {
  const hosts = [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    ...ips.map((ip) => `${ip}\t${hostname}`),
    ...hostAliases.map(({ ip, hostnames }) => `${ip}\t${hostnames.join('\t')}`),
  ]
  const resolving = [
    ...(dns?.nameservers ?? []).map((server) => `nameserver ${server}`),
    ...(dns === undefined || dns.searches.length === 0 ? [] : [`search ${dns.searches.join(' ')}`]),
    ...(dns === undefined || dns.options.length === 0 ? [] : [`options ${dns.options.join(' ')}`]),
  ]
  const file = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')
  return { hosts: file(hosts), hostname: file([hostname]), 'resolv.conf': file(resolving) }
}
