import { writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { NamespaceProcess } from '@continuo/testkit'
import { expect, it } from 'vitest'
import { netfilterMissing } from '../support/netfilter.ts'
import type { RandomRun } from './random-node.ts'

const changes = Number(process.env.PROXY_CHANGES ?? 100)
const seed = Number(process.env.PROXY_SEED ?? 20261121)
const missing = netfilterMissing('nft', 'conntrack', 'ip', 'unshare')
const note = missing === undefined ? '' : ` (skipped: ${missing})`

it.skipIf(missing !== undefined)(
  `misroutes nothing in ${changes} random changes of services, by the rules and by packets; seed ${seed}${note}`,
  async () => {
    const begun = performance.now()
    const node = await NamespaceProcess.start(new URL('./random-node.ts', import.meta.url))
    try {
      const run = await node.ask<RandomRun>('run', seed, changes)
      expect(run.misroutes).toEqual([])
      expect(run.traced).toBeGreaterThan(changes * 2)
      expect(run.packets).toBeGreaterThan(changes / 8)
      if (process.env.PROXY_RESULT === '1') record(run, (performance.now() - begun) / 1_000)
    } finally {
      await node.stop()
    }
  },
  60_000 + changes * 300,
)

function record(run: RandomRun, seconds: number): void {
  const rows = [
    ['day', new Date().toISOString().slice(0, 10)],
    [
      'machine',
      `${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version}; other work ran on it`,
    ],
    ['seed', seed],
    ['changes', run.changes.toLocaleString('en')],
    ['restarts of the proxy', run.restarts],
    ['routes traced through the rules that were read back', run.traced.toLocaleString('en')],
    ['connections by real packets', run.packets.toLocaleString('en')],
    ['misroutes', run.misroutes.length],
    ['whole run', `${seconds.toFixed(0)} s`],
  ]
  const text = `# Random changes of services on nftables

\`PROXY_CHANGES=${changes} PROXY_RESULT=1 vitest run --project system test/service-proxy\`

Up to 40 services come, go and change their endpoints, addresses, policies and affinity. After each change the table is read back from the kernel, and a tracer that knows nothing of the proxy
follows packets through it, from outside and from a pod, to each address of what changed, and of everything after every 25th change; the outcome is held against a model of Kubernetes' services.
Where the endpoints are real, a connection follows. A run ends at the first misroute.

| what | figure |
|---|---|
${rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}
`
  writeFileSync(fileURLToPath(new URL('../../docs/results/service-proxy.md', import.meta.url)), text)
}
