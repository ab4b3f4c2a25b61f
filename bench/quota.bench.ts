// Creates of pods by 64 writers in one namespace, durable: without a quota, and with quotas that each of them is charged to in its commit.
//   node --conditions=@continuo/source bench/quota.bench.ts [pods per round, default 2000] [rounds, default 3]

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AnyPlugin, createHost, HostSettingsCap, ObjectClientCap } from '../packages/core/src/index.ts'
import { quotaStatus, resourceQuota } from '../packages/plugin-admission/src/index.ts'
import sqlite from '../packages/plugin-store-sqlite/src/index.ts'
import { Pod, ResourceQuota, workloadKinds } from '../packages/workload/src/index.ts'
import { header, median, range, ratios, row } from './support/figures.ts'
import { podOf } from './support/pods.ts'

const pods = Number(process.argv[2] ?? 2_000)
const rounds = Number(process.argv[3] ?? 3)
const writers = 64

/** Pods per second. Throws when a quota has lost one. */
async function round(quotas: number): Promise<number> {
  const dataDir = mkdtempSync(join(tmpdir(), 'continuo-quota-'))
  const plugins: Readonly<Record<string, AnyPlugin>> = { store: sqlite, kinds: workloadKinds, quota: resourceQuota, status: quotaStatus }
  const host = createHost({
    name: 'bench',
    role: 'control-plane',
    inherit: [[HostSettingsCap, { dataDir, clusterName: 'bench' }]],
    plugins: Object.entries(plugins).map(([slot, plugin]) => ({ slot, plugin })),
  })
  await host.start()
  try {
    const client = host.use(ObjectClientCap)
    const key = (index: number) => ({ namespace: 'default', name: `q${index}` })
    for (let index = 0; index < quotas; index++)
      await client
        .for(ResourceQuota)
        .create({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: key(index), spec: { hard: { pods: '1M', 'requests.cpu': '1M' } } })
    let next = 0
    const writer = async (): Promise<void> => {
      for (let index = next++; index < pods; index = next++) await client.for(Pod).create(podOf(index, 2_048))
    }
    const began = performance.now()
    await Promise.all(Array.from({ length: writers }, writer))
    const perSecond = pods / ((performance.now() - began) / 1_000)
    for (let index = 0; index < quotas; index++) {
      const used = Number.parseFloat((await client.for(ResourceQuota).get(key(index))).status?.used?.['requests.cpu'] ?? '')
      if (Math.abs(used - pods / 10) > 0.001) throw new Error(`quota ${index} says ${used} cores of ${pods} pods`)
    }
    return perSecond
  } finally {
    await host.stop()
    rmSync(dataDir, { recursive: true })
  }
}

await round(0)
header(['quotas of the namespace', 'pods a second (range)', 'of those without a quota (range)'])
const measured = new Map<number, number[]>([0, 1, 3].map((quotas) => [quotas, []]))
for (let i = 0; i < rounds; i++) for (const [quotas, values] of measured) values.push(await round(quotas))
for (const [quotas, values] of measured) {
  const times = ratios(values, measured.get(0) ?? [])
  row([quotas, `${Math.round(median(values))} (${range(values)})`, `${median(times).toFixed(2)} (${range(times, 2)})`])
}
