import { describe, expect, it } from 'vitest'
import { parseFlows, staleFlows } from '../src/index.ts'

const line = (to: string, port: number, from: string, answers: number): string =>
  `udp      17 29 src=10.9.9.9 dst=${to} sport=43696 dport=${port} [UNREPLIED] src=${from} dst=10.9.9.9 sport=${answers} dport=43696 mark=0 use=1`

describe('flows', () => {
  it('reads lines of conntrack and passes over what has no ports', () => {
    expect(parseFlows(`${line('10.96.0.1', 53, '10.244.1.2', 5353)}\nicmp 1 29 src=1.1.1.1 dst=2.2.2.2 type=8\n`)).toEqual([
      { destination: '10.96.0.1', port: 53, repliesFrom: '10.244.1.2', repliesFromPort: 5353 },
    ])
  })

  it('finds flows that lead to what is gone, each kind once, and none that lead on', () => {
    const flows = parseFlows(
      [
        line('10.96.0.1', 53, '10.244.1.2', 5353),
        line('10.96.0.1', 53, '10.244.1.2', 5353),
        line('10.96.0.1', 53, '10.244.1.3', 5353),
      ].join('\n'),
    )
    const target = { ip: '10.96.0.1', port: 53, endpoints: new Set(['10.244.1.3 5353']) }
    expect(staleFlows(flows, [target], new Set()).map(({ repliesFrom }) => repliesFrom)).toEqual(['10.244.1.2'])
  })

  it('takes a port of the node for its own addresses and for what is translated, not for what passes through', () => {
    const target = { port: 30_053, endpoints: new Set<string>() }
    const flows = parseFlows(
      [
        line('192.0.2.1', 30_053, '192.0.2.1', 30_053),
        line('8.8.8.8', 30_053, '8.8.8.8', 30_053),
        line('192.0.2.2', 30_053, '10.1.1.1', 53),
      ].join('\n'),
    )
    expect(staleFlows(flows, [target], new Set(['192.0.2.1'])).map(({ destination }) => destination)).toEqual(['192.0.2.1', '192.0.2.2'])
  })
})
