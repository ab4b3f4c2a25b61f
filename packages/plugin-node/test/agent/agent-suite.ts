import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHost, type Host, Lease, ObjectClientCap, systemClock } from '@continuo/core'
import { eventually, SimulatedRuntime, type SplitCluster, type StartApi, startSplitCluster } from '@continuo/testkit'
import { ConfigMap, Node, NodeUplinkCap, Pod } from '@continuo/workload'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { nodeAgent, nodeConnections } from '../../src/index.ts'
import { isReady, statusOf } from './bench.ts'
import { FakeProbes, FakeVolumes, runtimePlugin } from './fake-plugins.ts'

type Spec = NonNullable<Pod['spec']>

/** The agent on real time, over whichever API it is given: local by default. */
export function agentSuite(startApi?: StartApi): void {
  let cluster: SplitCluster
  let runtime: SimulatedRuntime
  let agent: Host
  let directory: string

  const startAgent = async (): Promise<void> => {
    agent = createHost({
      name: 'n1',
      role: 'node',
      inherit: [
        [ObjectClientCap, cluster.client],
        [NodeUplinkCap, cluster.api.use(NodeUplinkCap)],
      ],
      plugins: [
        { slot: 'runtime', plugin: runtimePlugin(runtime) },
        { slot: 'probes', plugin: new FakeProbes().plugin },
        { slot: 'volumes', plugin: new FakeVolumes().plugin },
        { slot: 'agent', plugin: nodeAgent, config: { nodeName: 'n1', address: '192.0.2.1', directory } },
      ],
    })
    await agent.start()
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'continuo-agent-'))
    cluster = await startSplitCluster({ admission: { connections: nodeConnections } }, startApi)
    runtime = new SimulatedRuntime({ clock: systemClock, programs: { slow: { stopAfterMs: 200 } } })
    await startAgent()
  })

  afterEach(async () => {
    await agent.stop()
    await cluster[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  })

  const pods = () => cluster.client.for(Pod)
  const create = (name: string, spec: Partial<Spec> = {}): Promise<Pod> =>
    pods().create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: { nodeName: 'n1', containers: [{ name: 'main', image: 'app' }], ...spec },
    })
  const until = (name: string, what: string, wanted: (pod: Pod) => boolean): Promise<Pod> =>
    eventually(async () => {
      const pod = await pods().get(`default/${name}`)
      return wanted(pod) && pod
    }, what)
  const running = (name: string): Promise<Pod> => until(name, 'a ready pod', isReady)

  it('registers its node and keeps its lease', async () => {
    expect((await cluster.client.for(Node).get('n1')).status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True')
    expect(await cluster.client.for(Lease).get({ namespace: 'kube-node-lease', name: 'n1' })).toBeDefined()
  })

  it('runs a pod, and again what crashes', async () => {
    const pod = await create('web')
    expect((await running('web')).status).toMatchObject({ phase: 'Running', hostIP: '192.0.2.1' })
    runtime.crash({ sandbox: pod.metadata.uid ?? '', name: 'main' }, 4)
    const after = await until('web', 'a restart', (now) => statusOf(now)?.restartCount === 1 && isReady(now))
    expect(statusOf(after)?.lastState?.terminated?.exitCode).toBe(4)
  })

  it('ends a pod that is deleted before its object goes', async () => {
    await create('web', { containers: [{ name: 'main', image: 'slow' }] })
    await running('web')
    await pods().delete('default/web')
    expect((await runtime.list()).length).toBe(1)
    await eventually(async () => (await pods().list({ namespace: 'default' })).items.length === 0, 'the end of the pod')
    expect(await runtime.list()).toEqual([])
  })

  it('starts a pod once what its volumes need is there', async () => {
    await create('web', { volumes: [{ name: 'config', configMap: { name: 'settings' } }] })
    await systemClock.sleep(100)
    expect((await pods().get('default/web')).status?.phase).toBe('Pending')
    await cluster.client
      .for(ConfigMap)
      .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'default' }, data: { a: 'b' } })
    await running('web')
  })

  it('takes over what runs after a restart, and reaps what went meanwhile', async () => {
    await create('kept')
    await create('gone')
    const before = statusOf(await running('kept'))
    await running('gone')
    await agent.stop()
    await pods().delete('default/gone', { gracePeriodSeconds: 0 })
    await startAgent()
    await eventually(async () => (await runtime.list()).length === 1, 'the end of the stray')
    expect(statusOf(await running('kept'))).toEqual(before)
  })
}
