import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { AppsV1Api, type KubernetesObject, loadAllYaml, PatchStrategy } from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { refusal, type StockCluster, startStockCluster } from '../../../test/client-node/stock-cluster.ts'
import { eventually } from '../../../test/support/eventually.ts'
import type { Website } from '../src/website.ts'

const path = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url))
const manifests = async (name: string): Promise<KubernetesObject[]> => loadAllYaml(await readFile(path(`manifests/${name}.yaml`), 'utf8'))
const operatorAt = { name: 'operator', namespace: 'website-operator' }

describe('the example operator', () => {
  let cluster: StockCluster
  beforeAll(async () => {
    cluster = await startStockCluster({ config: path('continuo.config.ts') })
    for (const object of [...(await manifests('crd')), ...(await manifests('operator'))]) await cluster.objects.create(object)
    await scaleOperator(0)
  })
  afterAll(async () => {
    await cluster?.stop()
    expect(cluster?.faults()).toEqual([])
  })

  async function scaleOperator(replicas: number): Promise<void> {
    const patch = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { ...operatorAt }, spec: { replicas } }
    await cluster.objects.patch(patch as KubernetesObject)
    await eventually(async () => {
      const { status } = await cluster.config.makeApiClient(AppsV1Api).readNamespacedDeployment(operatorAt)
      expect([status?.replicas ?? 0, status?.readyReplicas ?? 0]).toEqual([replicas, replicas])
    })
  }

  async function startOutside(): Promise<void> {
    const operator: ChildProcess = spawn(process.execPath, [path('src/main.ts')], {
      env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
    })
    const ended = once(operator, 'exit')
    onTestFinished(async () => {
      operator.kill()
      await ended
    })
  }

  async function startInside(): Promise<void> {
    await scaleOperator(1)
    onTestFinished(() => scaleOperator(0))
  }

  it.each([
    ['on a machine, by kubeconfig', startOutside],
    ['in a pod, by its service account', startInside],
  ])('%s: creates, updates, repairs, cleans up, and survives a crash of the API', async (_, startOperator) => {
    await startOperator()
    const { objects, core } = cluster
    const header = { apiVersion: 'example.com/v1', kind: 'Website', metadata: { name: 'hello', namespace: 'default' } }
    const read = () => objects.read<Website>(header)
    const change = (spec: Partial<Website['spec']>) =>
      objects.patch({ ...header, spec } as Website, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch)
    const deployment = () => cluster.config.makeApiClient(AppsV1Api).readNamespacedDeployment(header.metadata)
    const serves = (text: string, replicas: number) =>
      eventually(async () => {
        const { status, metadata } = await read()
        expect(status).toMatchObject({ observedGeneration: metadata?.generation, readyReplicas: replicas })
        expect((await deployment()).status?.updatedReplicas).toBe(replicas)
        expect(await (await fetch(status?.address ?? '')).text()).toBe(text)
      }, 40_000)
    const listed = async () => (await core.readNamespacedConfigMap({ name: 'directory', namespace: operatorAt.namespace })).data ?? {}

    await objects.create({ ...header, spec: { text: 'one' } } as Website)
    await serves('one', 1)
    expect((await read()).metadata?.finalizers).toEqual(['example.com/directory'])
    expect(Object.keys(await listed())).toEqual(['default.hello'])

    await change({ text: 'two', replicas: 2 })
    await serves('two', 2)

    const before = await deployment()
    await objects.delete({ ...before, apiVersion: 'apps/v1', kind: 'Deployment' })
    await eventually(async () => expect((await deployment()).metadata?.uid).not.toBe(before.metadata?.uid))
    await serves('two', 2)

    await cluster.crash()
    await change({ text: 'three' })
    await serves('three', 2)

    await objects.delete(header)
    await eventually(async () => {
      expect((await refusal(read())).code).toBe(404)
      expect((await refusal(deployment())).code).toBe(404)
      expect((await refusal(core.readNamespacedService(header.metadata))).code).toBe(404)
    })
    expect(await listed()).toEqual({})
  })
})
