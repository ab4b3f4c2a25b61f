import { deepEqual, equal, ok } from 'node:assert/strict'
import type { KubeList } from '@continuo/core'
import { type ClientBench, type ClientCheck, names, refusal } from './client-check.ts'
import type { Gauge } from './gauge.ts'

async function fill({ gauges, gauge }: ClientBench, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await gauges.create(gauge(`g${i}`, { size: i, owner: i % 2 === 0 ? 'even' : 'odd' }, { labels: { third: String(i % 3) } }))
  }
}

/** All pages of a list. */
async function pages(
  { gauges, namespace }: ClientBench,
  limit: number,
  between: () => Promise<void> = async () => {},
): Promise<readonly KubeList<Gauge>[]> {
  const all: KubeList<Gauge>[] = []
  let token: string | undefined
  do {
    const page = await gauges.list({ namespace, limit, ...(token === undefined ? {} : { continue: token }) })
    all.push(page)
    token = page.metadata.continue
    await between()
  } while (token)
  return all
}

export const readChecks: readonly ClientCheck[] = [
  {
    name: 'lists in the order of names, with a version from which a watch can go on',
    async run(bench) {
      await fill(bench, 3)
      const list = await bench.gauges.list({ namespace: bench.namespace })
      deepEqual([list.apiVersion, list.kind], ['suite.continuo.dev/v1', 'GaugeList'])
      deepEqual(names(list), ['g0', 'g1', 'g2'])
      ok(Number(list.metadata.resourceVersion) >= Number(list.items[2]?.metadata.resourceVersion))
      deepEqual(list.items[1], await bench.gauges.get(bench.at('g1')))
    },
  },
  {
    name: 'shows a write to every read that begins after it',
    async run({ gauges, gauge, at, namespace }) {
      for (let i = 0; i < 20; i++) {
        await gauges.create(gauge(`r${i}`))
        equal((await gauges.get(at(`r${i}`))).metadata.name, `r${i}`)
        equal((await gauges.list({ namespace })).items.length, i + 1)
      }
    },
  },
  {
    name: 'selects by labels and fields',
    async run(bench) {
      await fill(bench, 9)
      const { gauges, namespace } = bench
      const select = async (labelSelector?: string, fieldSelector?: string) =>
        names(
          await gauges.list({
            namespace,
            ...(labelSelector === undefined ? {} : { labelSelector }),
            ...(fieldSelector === undefined ? {} : { fieldSelector }),
          }),
        )
      deepEqual(await select('third=0'), ['g0', 'g3', 'g6'])
      deepEqual(await select('third in (1,2),third!=2'), ['g1', 'g4', 'g7'])
      deepEqual(await select('!third'), [])
      deepEqual(await select(undefined, 'metadata.name=g4'), ['g4'])
      deepEqual(await select(undefined, 'spec.owner=odd'), ['g1', 'g3', 'g5', 'g7'])
      deepEqual(await select('third=1', 'spec.owner!=odd'), ['g4'])
      await refusal(gauges.list({ namespace, fieldSelector: 'spec.size=1' }), 'BadRequest', 400)
      await refusal(gauges.list({ namespace, labelSelector: 'third in (' }), 'BadRequest', 400)
    },
  },
  {
    name: 'keeps namespaces apart, and lists them all when none is named',
    async run({ gauges, gauge, namespace }) {
      await gauges.create(gauge('a'))
      await gauges.create(gauge('b', {}, { namespace: 'default' }))
      deepEqual(names(await gauges.list({ namespace })), ['a'])
      const all = await gauges.list({ fieldSelector: `metadata.namespace=${namespace}` })
      deepEqual(names(all), ['a'])
      ok((await gauges.list()).items.some((item) => item.metadata.namespace === 'default'))
      await gauges.delete('default/b')
    },
  },
  {
    name: 'pages are consistent under writes: all show the version of the first',
    async run(bench) {
      await fill(bench, 7)
      let extra = 0
      const all = await pages(bench, 3, async () => {
        await bench.gauges.create(bench.gauge(`g9${extra++}`))
        await bench.gauges.delete(bench.at('g6')).catch(() => {})
      })
      deepEqual(all.flatMap(names), ['g0', 'g1', 'g2', 'g3', 'g4', 'g5', 'g6'])
      deepEqual(new Set(all.map((page) => page.metadata.resourceVersion)).size, 1)
      deepEqual(
        all.map((page) => page.metadata.remainingItemCount),
        [4, 1, undefined],
      )
    },
  },
  {
    name: 'pages of a selection hold what it chooses',
    async run(bench) {
      await fill(bench, 9)
      const { gauges, namespace } = bench
      const first = await gauges.list({ namespace, labelSelector: 'third=0', limit: 2 })
      deepEqual(names(first), ['g0', 'g3'])
      const second = await gauges.list({ namespace, labelSelector: 'third=0', limit: 2, continue: first.metadata.continue ?? '' })
      deepEqual([names(second), second.metadata.continue], [['g6'], undefined])
    },
  },
  {
    name: 'an expired continue token is 410, and one that is none is 400',
    async run(bench) {
      await fill(bench, 4)
      const { gauges, namespace } = bench
      const first = await gauges.list({ namespace, limit: 2 })
      await gauges.create(bench.gauge('z'))
      await bench.compact()
      await refusal(gauges.list({ namespace, limit: 2, continue: first.metadata.continue ?? '' }), 'Expired', 410)
      await refusal(gauges.list({ namespace, limit: 2, continue: 'nonsense' }), 'BadRequest', 400)
    },
  },
  {
    name: 'reads an exact version of the past, until it is forgotten',
    async run(bench) {
      const { gauges, gauge, at, namespace, compact } = bench
      const made = await gauges.create(gauge('a', { size: 1 }))
      const past = { namespace, resourceVersion: made.metadata.resourceVersion ?? '', resourceVersionMatch: 'Exact' } as const
      await gauges.patch(at('a'), { type: 'merge', body: { spec: { size: 2 } } })
      const then = await gauges.list(past)
      deepEqual([then.items[0]?.spec?.size, then.metadata.resourceVersion], [1, made.metadata.resourceVersion])
      await compact()
      await refusal(gauges.list(past), 'Expired', 410)
    },
  },
  {
    name: 'a version that is not reached yet is 504 Timeout after a short wait',
    async run({ gauges, namespace }) {
      const error = await refusal(gauges.list({ namespace, resourceVersion: '900000000' }), 'Timeout', 504)
      ok(error.message.includes('Too large resource version'), error.message)
    },
  },
  {
    name: 'not older than a version, and any version, are answered',
    async run({ gauges, gauge, at, namespace }) {
      const made = await gauges.create(gauge('a'))
      const version = made.metadata.resourceVersion ?? ''
      equal((await gauges.get(at('a'), { resourceVersion: version })).metadata.resourceVersion, version)
      equal((await gauges.list({ namespace, resourceVersion: version, resourceVersionMatch: 'NotOlderThan' })).items.length, 1)
      await gauges.list({ namespace, resourceVersion: '0' })
    },
  },
  {
    name: 'refuses list options that contradict each other',
    async run({ gauges, namespace }) {
      await refusal(gauges.list({ namespace, resourceVersionMatch: 'Exact' }), 'Invalid', 422)
      await refusal(gauges.list({ namespace, resourceVersion: '0', resourceVersionMatch: 'Exact' }), 'Invalid', 422)
      await refusal(gauges.list({ namespace, resourceVersion: 'x' }), 'BadRequest', 400)
    },
  },
]
