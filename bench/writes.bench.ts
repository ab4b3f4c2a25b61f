// CPU per create, update, patch and apply of a pod of 2 KB: over the in-process client, and of the server alone over HTTP/2 with a client
// certificate of a user whose rights roles decide, beside a bare node:http2 server that takes and gives as many bytes.
//   node --conditions=@continuo/source bench/writes.bench.ts [operations per round, default 400] [rounds, default 3]

import { startChild } from './support/child.ts'
import { header, median, range, ratios, row } from './support/figures.ts'
import { type Access, openLoad, type Write } from './support/load.ts'
import { podOf } from './support/pods.ts'
import { type WriteKind, writeKinds } from './support/write-operations.ts'

const operations = Number(process.argv[2] ?? 400)
const rounds = Number(process.argv[3] ?? 3)

using api = startChild('./api-process.ts')
using client = startChild('./client-process.ts')
using floor = startChild('./floor-process.ts')
const access = await api.call<Access>('access')
await client.call('connect', access)
// As many in flight on one connection as the client of the API has.
using bare = await openLoad({ ...access, port: await floor.call<number>('listen', await api.call('serving')) }, 'HTTP/2', 1, 8)

/** In-process everything is in one process; over HTTP only the server's CPU counts. */
async function local(kind: WriteKind): Promise<number> {
  return (await api.call<number>('writes', { kind, operations })) / operations
}

async function overHttp(kind: WriteKind): Promise<number> {
  const before = await api.call<number>('cpu')
  await client.call('writes', { kind, operations })
  return ((await api.call<number>('cpu')) - before) / operations
}

/** What a request of each kind carries; the answer is a whole pod. */
function write(kind: WriteKind, pod: Buffer): Write {
  const small = Buffer.from(JSON.stringify({ metadata: { annotations: { note: '123' } } }))
  if (kind === 'create') return { method: 'POST', contentType: 'application/json', body: Buffer.from(JSON.stringify(podOf(0, 2_048))) }
  if (kind === 'update' || kind === 'update of status') return { method: 'PUT', contentType: 'application/json', body: pod }
  return { method: 'PATCH', contentType: 'application/merge-patch+json', body: small }
}

async function onFloor(kind: WriteKind, pod: Buffer): Promise<number> {
  const before = await floor.call<number>('cpu')
  const answers = await bare.run('/pod', 300, write(kind, pod))
  return ((await floor.call<number>('cpu')) - before) / answers
}

const [name] = await api.call<string[]>('seed', { count: 1, bytes: 2_048 })
using one = await openLoad(access, 'HTTP/2', 1, 1)
const pod = await one.once(`/api/v1/namespaces/default/pods/${name}`)
await floor.call('serve', { path: '/pod', body: pod })

header(['operation', 'in-process, µs of CPU (range)', 'HTTP/2, µs of the server’s CPU (range)', 'bare, µs of CPU', 'API / bare (range)'])
for (const kind of writeKinds) {
  const measured = { local: [] as number[], http: [] as number[], bare: [] as number[] }
  await local(kind)
  await overHttp(kind)
  await onFloor(kind, pod)
  for (let round = 0; round < rounds; round++) {
    measured.local.push(await local(kind))
    measured.bare.push(await onFloor(kind, pod))
    measured.http.push(await overHttp(kind))
  }
  const cell = (values: readonly number[]): string => `${Math.round(median(values))} (${range(values)})`
  const times = ratios(measured.http, measured.bare)
  row([
    kind,
    cell(measured.local),
    cell(measured.http),
    Math.round(median(measured.bare)),
    `${median(times).toFixed(1)} (${range(times, 1)})`,
  ])
}
