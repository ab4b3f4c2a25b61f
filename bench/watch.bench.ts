// CPU of the server per watch event: delivered to 1,000 watchers beside bare writes to as many sockets, and when it concerns one of 50 or 5,000.
//   node --conditions=@continuo/source bench/watch.bench.ts [rounds, default 3] [watchers, default 1000]

import { type Child, startChild } from './support/child.ts'
import { header, median, range, ratios, row, spread } from './support/figures.ts'
import { type Access, type HttpVersion, openWatchers, type Watchers } from './support/load.ts'

const rounds = Number(process.argv[2] ?? 3)
const watchers = Number(process.argv[3] ?? 1_000)
const bytes = 2_048
const pods = '/api/v1/namespaces/default/pods'

/** Microseconds of the server's CPU per event, from the first until all are delivered; and what came on all sockets. */
async function cost(
  server: Child,
  open: Watchers,
  events: number,
  method: string,
  parameters: object,
): Promise<{ cpu: number; bytes: number }> {
  await open.settled()
  const bytesBefore = open.bytes
  const before = await server.call<number>(method, { events, ...parameters })
  await open.settled()
  return { cpu: ((await server.call<number>('cpu')) - before) / events, bytes: open.bytes - bytesBefore }
}

/** Events are taken from the version that was reached, so that nothing but them is sent. */
const watchPath = (more = ''): string =>
  `${pods}?watch=1&resourceVersion=0&sendInitialEvents=false&resourceVersionMatch=NotOlderThan${more}`

async function everybody(): Promise<void> {
  header([`an event to ${watchers.toLocaleString('en')} watchers`, 'API, ms', 'bare writes, ms', 'API / bare (range)'])
  for (const version of ['HTTP/2', 'HTTP/1.1'] as const satisfies readonly HttpVersion[]) {
    using api = startChild('./api-process.ts')
    using floor = startChild('./floor-process.ts')
    const access = await api.call<Access>('access')
    const floorAccess: Access = { ...access, port: await floor.call<number>('listen', await api.call('serving')) }
    await api.call('seed', { count: 1, bytes })
    using ours = await openWatchers(access, version, watchers, 1, () => watchPath())
    using bare = await openWatchers(floorAccess, version, watchers, 1, () => '/?watch=1')
    const warm = await cost(api, ours, 60, 'rewrite', {})
    const line = Math.round(warm.bytes / 60 / watchers)
    await cost(floor, bare, 60, 'write', { bytes: line })
    const measured = { ours: [] as number[], bare: [] as number[] }
    for (let round = 0; round < rounds; round++) {
      const [floorRound, ourRound] = [await cost(floor, bare, 40, 'write', { bytes: line }), await cost(api, ours, 40, 'rewrite', {})]
      if (Math.abs(ourRound.bytes / floorRound.bytes - 1) > 0.02)
        throw new Error(`${ourRound.bytes} bytes came, and ${floorRound.bytes} from the bare server`)
      measured.ours.push(ourRound.cpu / 1_000)
      measured.bare.push(floorRound.cpu / 1_000)
    }
    const shares = ratios(measured.ours, measured.bare)
    row([version, spread(measured.ours, 1), spread(measured.bare, 1), `${median(shares).toFixed(2)} (${range(shares, 2)})`])
  }
}

/** Every watcher asks for the pods of its own node; each event concerns one. */
async function oneOf(): Promise<void> {
  const connections = 50
  header(['watchers, of which an event concerns one', 'API, µs per event (range)'])
  using api = startChild('./api-process.ts')
  const access = await api.call<Access>('access')
  await api.call('seed', { count: 5_000, bytes, nodes: true })
  for (const streams of [1, 10, 100]) {
    using open = await openWatchers(access, 'HTTP/2', connections, streams, (watcher) =>
      watchPath(`&fieldSelector=spec.nodeName%3Dnode-${watcher}`),
    )
    await cost(api, open, 1_000, 'rewriteBound', { nodes: connections * streams })
    const measured: number[] = []
    for (let round = 0; round < rounds; round++) {
      const { cpu, bytes: came } = await cost(api, open, 1_000, 'rewriteBound', { nodes: connections * streams })
      if (came < 1_000 * bytes) throw new Error(`only ${came} bytes came`)
      measured.push(cpu)
    }
    row([(connections * streams).toLocaleString('en'), spread(measured)])
  }
}

await everybody()
console.log()
await oneOf()
