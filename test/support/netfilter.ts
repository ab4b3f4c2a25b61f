import { spawnSync } from 'node:child_process'

/** Why tests that change rules of the kernel are skipped on this machine; undefined when they can run. In CI they fail instead. */
export function netfilterMissing(...tools: readonly string[]): string | undefined {
  if (process.env.CI === 'true') return undefined
  if (process.getuid?.() !== 0) return 'it needs root, for network namespaces and their rules'
  const missing = tools.filter((tool) => spawnSync(tool, ['--version']).error !== undefined)
  return missing.length === 0 ? undefined : `${missing.join(', ')} not on the PATH; apt-get install nftables iptables conntrack iproute2`
}
