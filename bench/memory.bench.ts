// Memory per 10,000 stored pods of 4 KB, beside the bytes of their JSON: the API without informers, and with informers of everything.
//   node --conditions=@continuo/source bench/memory.bench.ts [pods, default 10000] [bytes of a pod, default 4096]

import { startChild } from './support/child.ts'
import { header, row } from './support/figures.ts'

const pods = Number(process.argv[2] ?? 10_000)
const bytes = Number(process.argv[3] ?? 4_096)

interface Memory {
  readonly heap: number
  readonly outside: number
  readonly resident: number
}

const megabytes = (value: number): string => (value / 1e6).toFixed(1)

header([`${pods.toLocaleString('en')} pods`, 'JSON, MB', 'heap, MB', 'buffers, MB', 'of their JSON', 'entry beside its bytes'])
for (const [title, informers, reads] of [
  ['API, loaded from its store', false, 'none'],
  ['API, after every pod was read (16 MiB of what was derived are kept)', false, 'all'],
  ['with informers of all pods', true, 'none'],
] as const) {
  using child = startChild('./memory-process.ts')
  await child.call('fill', { pods, bytes })
  await child.call('start', { informers, empty: true })
  const before = await child.call<Memory>('memory')
  await child.call('stop')
  await child.call('start', { informers, empty: false })
  if (reads === 'all') await child.call('read')
  const after = await child.call<Memory>('memory')
  const json = await child.call<number>('json')
  const [heap, outside] = [after.heap - before.heap, after.outside - before.outside]
  row([
    title,
    megabytes(json),
    megabytes(heap),
    megabytes(outside),
    ((heap + outside) / json).toFixed(2),
    `${Math.round((heap + outside - json) / pods)} B`,
  ])
}
