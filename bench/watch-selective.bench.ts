// CPU of the server per event that concerns one of 50, 500 or 5,000 watchers, each of the pods of its own node: it must not grow with the others.
//   node --conditions=@continuo/source bench/watch-selective.bench.ts [rounds, default 3]

import { startChild } from './support/child.ts'
import { header, row, spread } from './support/figures.ts'
import { type Access, openWatchers } from './support/load.ts'
import { watchCost, watchPath } from './support/watch-cost.ts'

const rounds = Number(process.argv[2] ?? 3)
const bytes = 2_048

const connections = 50
header(['watchers, of which an event concerns one', 'API, µs per event (range)'])
using api = startChild('./api-process.ts')
const access = await api.call<Access>('access')
await api.call('seed', { count: 5_000, bytes, nodes: true })
for (const streams of [1, 10, 100]) {
  using open = await openWatchers(access, 'HTTP/2', connections, streams, (watcher) =>
    watchPath(`&fieldSelector=spec.nodeName%3Dnode-${watcher}`),
  )
  await watchCost(api, open, 1_000, 'rewriteBound', { nodes: connections * streams })
  const measured: number[] = []
  for (let round = 0; round < rounds; round++) {
    const { cpu, bytes: came } = await watchCost(api, open, 1_000, 'rewriteBound', { nodes: connections * streams })
    if (came < 1_000 * bytes) throw new Error(`only ${came} bytes came`)
    measured.push(cpu)
  }
  row([(connections * streams).toLocaleString('en'), spread(measured)])
}
