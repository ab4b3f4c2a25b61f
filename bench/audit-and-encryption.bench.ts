// What an audit log and encryption at rest cost: CPU of the server alone per GET, merge patch and LIST of 500 of pods over HTTP/2, beside the same
// server without them. The client is another process's; servers take turns, so that the machine's moods are shared.
//   node --conditions=@continuo/source bench/audit-and-encryption.bench.ts [milliseconds per round, default 500] [rounds, default 5]

import { type Child, startChild } from './support/child.ts'
import { header, median, range, row } from './support/figures.ts'
import { type Access, type Load, openLoad, type Write } from './support/load.ts'

const milliseconds = Number(process.argv[2] ?? 500)
const rounds = Number(process.argv[3] ?? 5)
const pods = '/api/v1/namespaces/default/pods'
const patch: Write = {
  method: 'PATCH',
  contentType: 'application/merge-patch+json',
  body: Buffer.from('{"metadata":{"annotations":{"note":"same"}}}'),
}
const change = (turn: number): Write => ({ ...patch, body: Buffer.from(`{"metadata":{"annotations":{"note":"${turn}"}}}`) })

interface Server {
  readonly child: Child
  readonly load: Load
  readonly name: string
}

async function start(args: readonly string[]): Promise<Server> {
  const child = startChild('./api-process.ts', args)
  const load = await openLoad(await child.call<Access>('access'), 'HTTP/2', 2, 4)
  const [name = ''] = await child.call<string[]>('seed', { count: 500, bytes: 2_048 })
  return { child, load, name }
}

async function cost({ child, load }: Server, path: string, write?: Write): Promise<number> {
  const before = await child.call<number>('cpu')
  const answers = await load.run(path, milliseconds, write)
  return ((await child.call<number>('cpu')) - before) / answers
}

const without = await start([])
header(['with', 'GET, µs of CPU', 'merge patch that changes, µs', 'LIST of 500, µs', 'beside none: GET', 'patch', 'LIST'])
for (const args of [['audit:Metadata'], ['audit:RequestResponse'], ['encryption'], ['audit:Metadata', 'encryption']]) {
  const server = await start(args)
  const operations: readonly ((one: Server, turn: number) => Promise<number>)[] = [
    (one) => cost(one, `${pods}/${one.name}`),
    (one, turn) => cost(one, `${pods}/${one.name}`, change(turn)),
    (one) => cost(one, pods),
  ]
  const cells: string[] = []
  const beside: string[] = []
  for (const run of operations) {
    const [ours, bare]: [number[], number[]] = [[], []]
    for (let round = -1; round < rounds; round++) {
      const [a, b] = [await run(without, round), await run(server, round)]
      if (round < 0) continue
      bare.push(a)
      ours.push(b)
    }
    cells.push(`${Math.round(median(ours))} (${range(ours, 0)})`)
    beside.push((median(ours) / median(bare)).toFixed(2))
  }
  row([args.join(' + '), ...cells, ...beside])
  server.load[Symbol.dispose]()
  server.child[Symbol.dispose]()
}
without.load[Symbol.dispose]()
without.child[Symbol.dispose]()
