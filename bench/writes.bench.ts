// CPU per create, update, patch and apply of a pod of 2 KB: over the in-process client, and of the server alone over HTTP/2 with a client certificate.
//   node --conditions=@continuo/source bench/writes.bench.ts [operations per round, default 400] [rounds, default 3]

import { startChild } from './support/child.ts'
import { header, median, range, row } from './support/figures.ts'
import type { WriteKind } from './support/write-operations.ts'
import { writeKinds } from './support/write-operations.ts'

const operations = Number(process.argv[2] ?? 400)
const rounds = Number(process.argv[3] ?? 3)

using api = startChild('./api-process.ts')
using client = startChild('./client-process.ts')
await client.call('connect', await api.call('access'))

/** In-process everything is in one process; over HTTP only the server's CPU counts. */
async function local(kind: WriteKind): Promise<number> {
  return (await api.call<number>('writes', { kind, operations })) / operations
}

async function overHttp(kind: WriteKind): Promise<number> {
  const before = await api.call<number>('cpu')
  await client.call('writes', { kind, operations })
  return ((await api.call<number>('cpu')) - before) / operations
}

header(['operation', 'in-process, µs of CPU (range)', 'HTTP/2, µs of the server’s CPU (range)'])
for (const kind of writeKinds) {
  const measured = { local: [] as number[], http: [] as number[] }
  await local(kind)
  await overHttp(kind)
  for (let round = 0; round < rounds; round++) {
    measured.local.push(await local(kind))
    measured.http.push(await overHttp(kind))
  }
  const cell = (values: readonly number[]): string => `${Math.round(median(values))} (${range(values)})`
  row([kind, cell(measured.local), cell(measured.http)])
}
