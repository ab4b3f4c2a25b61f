// CPU of the server per watch event: delivered to 1,000 and 5,000 watchers beside bare writes to as many, of a user whose rights roles decide.
//   node --conditions=@continuo/source bench/watch.bench.ts [rounds, default 3] [watchers, default 1000,5000]

import { startChild } from './support/child.ts'
import { header, median, range, ratios, row, spread } from './support/figures.ts'
import { type Access, type HttpVersion, openWatchers } from './support/load.ts'
import { watchCost, watchPath } from './support/watch-cost.ts'

const rounds = Number(process.argv[2] ?? 3)
const counts = (process.argv[3] ?? '1000,5000').split(',').map(Number)
/** Above, watchers share connections: what is measured is events, not the handshakes of thousands. */
const maxConnections = 1_000
const bytes = 2_048

async function everybody(watchers: number): Promise<void> {
  header([`an event to ${watchers.toLocaleString('en')} watchers`, 'API, ms', 'bare writes, ms', 'API / bare (range)'])
  for (const version of ['HTTP/2', 'HTTP/1.1'] as const satisfies readonly HttpVersion[]) {
    using api = startChild('./api-process.ts')
    using floor = startChild('./floor-process.ts')
    const access = await api.call<Access>('access')
    const floorAccess: Access = { ...access, port: await floor.call<number>('listen', await api.call('serving')) }
    await api.call('seed', { count: 1, bytes })
    const connections = version === 'HTTP/2' ? Math.min(watchers, maxConnections) : watchers
    const streams = watchers / connections
    using ours = await openWatchers(access, version, connections, streams, () => watchPath())
    using bare = await openWatchers(floorAccess, version, connections, streams, () => '/?watch=1')
    const warm = await watchCost(api, ours, 60, 'rewrite', {})
    const line = Math.round(warm.bytes / 60 / watchers)
    await watchCost(floor, bare, 60, 'write', { bytes: line })
    const measured = { ours: [] as number[], bare: [] as number[] }
    for (let round = 0; round < rounds; round++) {
      const [floorRound, ourRound] = [
        await watchCost(floor, bare, 40, 'write', { bytes: line }),
        await watchCost(api, ours, 40, 'rewrite', {}),
      ]
      if (Math.abs(ourRound.bytes / floorRound.bytes - 1) > 0.02)
        throw new Error(`${ourRound.bytes} bytes came, and ${floorRound.bytes} from the bare server`)
      measured.ours.push(ourRound.cpu / 1_000)
      measured.bare.push(floorRound.cpu / 1_000)
    }
    const shares = ratios(measured.ours, measured.bare)
    row([version, spread(measured.ours, 1), spread(measured.bare, 1), `${median(shares).toFixed(2)} (${range(shares, 2)})`])
  }
}

for (const watchers of counts) await everybody(watchers)
