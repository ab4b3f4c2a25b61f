import { networkInterfaces } from 'node:os'
import { ContinuoError } from '@continuo/core'
import { type FlowTarget, parseFlows, staleFlows } from './flows.ts'
import { runTool } from './run-tool.ts'

export interface ForgetFlowsOptions {
  readonly protocol: 'udp' | 'sctp'
  readonly family: 'ipv4' | 'ipv6'
  /** The program `conntrack`. */
  readonly command: string
}

/**
 * Makes the kernel forget stale flows to these addresses, so that the next datagram is led anew. Returns how many kinds were forgotten.
 * One listing, then one call for each pair of an address and what is gone from it.
 * @throws ContinuoError `NETFILTER_TOOL_MISSING` without the program, `NETFILTER_TOOL_FAILED` when it fails.
 */
export async function forgetFlows(targets: readonly FlowTarget[], { protocol, family, command }: ForgetFlowsOptions): Promise<number> {
  if (targets.length === 0) return 0
  const listed = await runTool(command, ['-L', '-p', protocol, '-f', family])
  if (listed.code !== 0) throw new ContinuoError('NETFILTER_TOOL_FAILED', `${command} -L: ${listed.stderr.trim()}`)
  const stale = staleFlows(parseFlows(listed.stdout), targets, ownAddresses())
  for (const flow of stale) {
    const answers = ['--reply-src', flow.repliesFrom, '--reply-port-src', `${flow.repliesFromPort}`]
    const filter = ['-p', protocol, '-f', family, '--orig-dst', flow.destination, '--orig-port-dst', `${flow.port}`, ...answers]
    const { code, stderr } = await runTool(command, ['-D', ...filter])
    // 1: it was gone already.
    if (code !== 0 && code !== 1) throw new ContinuoError('NETFILTER_TOOL_FAILED', `${command} -D ${filter.join(' ')}: ${stderr.trim()}`)
  }
  return stale.length
}

const ownAddresses = (): ReadonlySet<string> =>
  new Set(Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address)))
