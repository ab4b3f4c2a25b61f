import { createHost } from '@continuo/core'
import { quotaStatus, resourceQuota } from '@continuo/plugin-admission'
import { clientHttp } from '@continuo/plugin-client-http'
import { ConfigMap, ResourceQuota } from '@continuo/workload'
import { expect, test } from 'vitest'
import { localClient, startApi } from '../client-http/running-api.ts'
import { eventually } from '../support/eventually.ts'

test('quotas are counted from another process, by nothing but the API', async () => {
  await using api = await startApi({ plugins: [{ slot: 'quota', plugin: resourceQuota }] })
  const host = createHost({
    name: 'controllers',
    role: 'control-plane',
    plugins: [
      { slot: 'client', plugin: clientHttp, config: { ...api.access } },
      { slot: 'status', plugin: quotaStatus },
    ],
  })
  await host.start()
  try {
    const client = localClient(api)
    const map = (name: string): ConfigMap => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } })
    for (const name of ['a', 'b', 'c']) await client.for(ConfigMap).create(map(name))
    const metadata = { name: 'q', namespace: 'default' }
    await client
      .for(ResourceQuota)
      .create({ apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec: { hard: { configmaps: '4', pods: '1' } } })
    const status = async () => (await client.for(ResourceQuota).get({ namespace: 'default', name: 'q' })).status
    await eventually(async () =>
      expect(await status()).toEqual({ hard: { configmaps: '4', pods: '1' }, used: { configmaps: '3', pods: '0' } }),
    )
    await client.for(ConfigMap).create(map('d'))
    await expect(client.for(ConfigMap).create(map('e'))).rejects.toThrow(
      'exceeded quota: q, requested: configmaps=1, used: configmaps=4, limited: configmaps=4',
    )
    await client.for(ConfigMap).delete({ namespace: 'default', name: 'a' })
    await eventually(async () => expect((await status())?.used).toEqual({ configmaps: '3', pods: '0' }))
  } finally {
    await host.stop()
  }
})
