// GET and LIST of the API beside a bare node:http2 server with the same TLS, version of HTTP, bytes and connections; CPU of the server alone.
//   node --conditions=@continuo/source bench/http-reads.bench.ts [milliseconds per round, default 500] [rounds, default 5] [bytes of a pod, default 2048]

import { type Child, startChild } from './support/child.ts'
import { header, median, range, ratios, row } from './support/figures.ts'
import { type Access, type HttpVersion, type Load, openLoad } from './support/load.ts'

const milliseconds = Number(process.argv[2] ?? 500)
const rounds = Number(process.argv[3] ?? 5)
const bytes = Number(process.argv[4] ?? 2_048)
const pods = '/api/v1/namespaces/default/pods'

/** Microseconds of the server's CPU per answer. */
async function cost(server: Child, load: Load, path: string, time = milliseconds): Promise<number> {
  const before = await server.call<number>('cpu')
  const answers = await load.run(path, time)
  return ((await server.call<number>('cpu')) - before) / answers
}

using api = startChild('./api-process.ts')
using floor = startChild('./floor-process.ts')
const access = await api.call<Access>('access')
const floorAccess: Access = { ...access, port: await floor.call<number>('listen', await api.call('serving')) }

header(['', 'bytes', 'API, µs of CPU', 'bare, µs of CPU', 'throughput per CPU of the bare server (range)'])
let seeded = 0
for (const [title, count, connections, streams] of [
  ['GET', 1, 4, 16],
  ['LIST of 1', 1, 4, 16],
  ['LIST of 500', 500, 4, 2],
  ['LIST of 10,000', 10_000, 2, 1],
] as const) {
  const names = await api.call<string[]>('seed', { from: seeded, count: count - seeded, bytes })
  seeded = count
  const path = title === 'GET' ? `${pods}/${names[0]}` : pods
  for (const version of ['HTTP/2', 'HTTP/1.1'] as const satisfies readonly HttpVersion[]) {
    using ours = await openLoad(access, version, connections, streams)
    using bare = await openLoad(floorAccess, version, connections, streams)
    const body = await ours.once(path)
    await floor.call('serve', { path, body })
    const measured = { ours: [] as number[], bare: [] as number[] }
    await cost(api, ours, path)
    await cost(floor, bare, path)
    for (let round = 0; round < rounds; round++) {
      measured.bare.push(await cost(floor, bare, path))
      measured.ours.push(await cost(api, ours, path))
    }
    const shares = ratios(measured.bare, measured.ours)
    row([
      `${title}, ${version}`,
      body.length.toLocaleString('en'),
      Math.round(median(measured.ours)),
      Math.round(median(measured.bare)),
      `${median(shares).toFixed(2)} (${range(shares, 2)})`,
    ])
  }
}
