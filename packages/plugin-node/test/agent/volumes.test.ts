import { join } from 'node:path'
import { ConfigMap } from '@continuo/workload'
import { afterEach, expect, it } from 'vitest'
import { Bench, type BenchOptions } from './bench.ts'
import { fileOf } from './fake-plugins.ts'

let bench: Bench
const start = async (options: BenchOptions = {}): Promise<Bench> => {
  bench = await Bench.start({ files: true, ...options })
  return bench
}
afterEach(() => bench[Symbol.asyncDispose]())

const settings = (mode: string) => ({
  apiVersion: 'v1' as const,
  kind: 'ConfigMap' as const,
  metadata: { name: 'settings', namespace: 'default' },
  data: { mode },
})
const withSettings = {
  containers: [{ name: 'main', image: 'app', volumeMounts: [{ name: 'config', mountPath: '/etc/app' }] }],
  volumes: [{ name: 'config', configMap: { name: 'settings' } }],
}
const pathOf = async (pod: string, volume: string) =>
  join(bench.directory, 'pods', (await bench.get(pod)).metadata.uid ?? '', 'volumes', volume)

it('a pod waits for a missing object of its volumes, says so, and starts once it is there', async () => {
  await start()
  await bench.create('web', withSettings)
  const event = 'FailedMount: MountVolume.SetUp failed for volume "config" : configmap "settings" not found'
  await bench.advanceUntil(async () => (await bench.events('web')).includes(event))
  const waiting = await bench.get('web')
  expect(waiting.status).toMatchObject({ phase: 'Pending', containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating' } } }] })
  expect(await bench.runtime.list()).toEqual([])
  await bench.client.for(ConfigMap).create(settings('slow'))
  await bench.running('web')
  expect(await fileOf(await pathOf('web', 'config'), 'mode')).toBe('slow')
})

it('volumes follow objects that change, even while a container backs off', async () => {
  await start({ programs: { crashing: { exitAfterMs: 100, exitCode: 1 } } })
  await bench.client.for(ConfigMap).create(settings('slow'))
  await bench.create('web', { ...withSettings, containers: [{ name: 'main', image: 'crashing' }] })
  await bench.clock.advance(700_000)
  await bench.client.for(ConfigMap).update(settings('fast'))
  await bench.advanceUntil(async () => (await fileOf(await pathOf('web', 'config'), 'mode')) === 'fast', 60_000)
})

it('volumes of a pod that is deleted go with it', async () => {
  await start()
  await bench.client.for(ConfigMap).create(settings('slow'))
  await bench.create('web', withSettings)
  await bench.running('web')
  const path = await pathOf('web', 'config')
  await bench.delete('web')
  await bench.gone('web')
  expect(await fileOf(path, 'mode')).toBeUndefined()
  expect(bench.volumes.unmounted).toEqual(['web/config'])
})

it('volumes of a pod that is deleted by force go too', async () => {
  await start()
  await bench.client.for(ConfigMap).create(settings('slow'))
  await bench.create('web', withSettings)
  await bench.running('web')
  await bench.delete('web', 0)
  await bench.advanceUntil(() => bench.volumes.unmounted.includes('web/config'))
})

it('volumes of a pod that went while the agent was away, and its sandbox with it, are unmounted at the next start', async () => {
  await start()
  await bench.client.for(ConfigMap).create(settings('slow'))
  await bench.create('web', withSettings)
  await bench.running('web')
  await bench.stopAgent()
  await bench.delete('web', 0)
  bench.runtime.forget()
  await bench.startAgent()
  expect(bench.volumes.unmounted).toEqual(['web/config'])
})

it('volumes of a pod that has come to its end are unmounted, and not brought up to date any more', async () => {
  await start({ programs: { job: { exitAfterMs: 1_000 } } })
  await bench.client.for(ConfigMap).create(settings('slow'))
  await bench.create('job', { ...withSettings, restartPolicy: 'Never', containers: [{ name: 'main', image: 'job' }] })
  await bench.until('job', (pod) => pod.status?.phase === 'Succeeded')
  await bench.advanceUntil(() => bench.volumes.unmounted.includes('job/config'))
  const path = await pathOf('job', 'config')
  await bench.clock.advance(120_000)
  expect(await fileOf(path, 'mode')).toBeUndefined()
})

it('the downward API gives fields and resources of the pod as files', async () => {
  await start()
  await bench.create('web', {
    containers: [{ name: 'main', image: 'app', resources: { limits: { memory: '64Mi' } } }],
    volumes: [
      {
        name: 'info',
        downwardAPI: {
          items: [
            { path: 'name', fieldRef: { fieldPath: 'metadata.name' } },
            { path: 'memory', resourceFieldRef: { containerName: 'main', resource: 'limits.memory', divisor: '1Mi' } },
            { path: 'cpu', resourceFieldRef: { containerName: 'main', resource: 'limits.cpu' } },
          ],
        },
      },
    ],
  })
  await bench.running('web')
  const path = await pathOf('web', 'info')
  expect(await Promise.all(['name', 'memory', 'cpu'].map((name) => fileOf(path, name)))).toEqual(['web', '64', '4'])
})
