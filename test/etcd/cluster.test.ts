import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { EtcdStore } from '../../packages/plugin-store-etcd/src/index.ts'
import { type Api, openApi } from '../support/api.ts'
import { type ClusterProcess, startProcess } from '../support/cluster-process.ts'
import { dataDirectory, spawnContinuo } from '../support/continuo.ts'
import { type Etcd, etcdMissing, etcdNote, startEtcd } from '../support/etcd.ts'
import { eventually } from '../support/eventually.ts'

const hello = fileURLToPath(new URL('../../examples/hello', import.meta.url))
const configMaps = '/api/v1/namespaces/default/configmaps'
const deployments = '/apis/apps/v1/namespaces/default/deployments'

describe.skipIf(etcdMissing !== undefined)(`the reference cluster on etcd${etcdNote}`, () => {
  let etcd: Etcd
  beforeAll(async () => {
    etcd = await startEtcd({ members: 3 })
  })
  afterAll(() => etcd?.stop())

  /** A directory with a config file that swaps the one slot. */
  async function onEtcd(prefix: string, more = '') {
    const directory = await dataDirectory('etcd')
    onTestFinished(() => directory.remove())
    const config = join(directory.path, 'continuo.yaml')
    const settings = JSON.stringify({ endpoints: etcd.endpoints, prefix })
    const text = `version: 1\nextends: continuo/config/reference.yaml\n${more}plugins:\n  store: { use: "@continuo/plugin-store-etcd", with: ${settings} }\n`
    await writeFile(config, text)
    return { directory: directory.path, config }
  }

  it('runs the example by swapping one slot', async () => {
    const { directory, config } = await onEtcd('hello:')
    const run = spawnContinuo(['start', hello, '--config', config, '--data-dir', directory, '--listen', '127.0.0.1:0'])
    await eventually(() => expect(run.output()).toMatch(/^ready in/m), 60_000)
    const url = /^service hello: (http\S+)$/m.exec(run.output())?.[1] as string
    expect(await (await fetch(url)).text()).toContain('Hello from Continuo')
    const store = new EtcdStore({ endpoints: etcd.endpoints, prefix: 'hello:' })
    expect((await store.list('/registry/core/pods/default/')).count).toBe(3)
    await store.close()
    run.child.kill('SIGINT')
    expect((await run.ended).code).toBe(0)
  })

  it('says which endpoints do not answer when there is no etcd', async () => {
    const { directory, config } = await onEtcd('nobody:')
    const text = `version: 1\nextends: continuo/config/reference.yaml\nplugins:\n  store: { use: "@continuo/plugin-store-etcd", with: { endpoints: ["http://127.0.0.1:1"], requestTimeoutSeconds: 1 } }\n`
    await writeFile(config, text)
    const { code, output } = await spawnContinuo(['up', '--config', config, '--data-dir', directory, '--listen', '127.0.0.1:0']).ended
    expect(code).toBe(1)
    expect(output).toMatch(/no member of etcd answers at http:\/\/127\.0\.0\.1:1.*ECONNREFUSED/s)
    expect(output).toContain('Check that etcd runs')
  })

  it('has several control planes: one leads, each sees at once what the other wrote, and one takes over', {
    timeout: 180_000,
  }, async () => {
    const processes: ClusterProcess[] = []
    const apis: Api[] = []
    for (let i = 0; i < 2; i++) {
      const { directory, config } = await onEtcd('two:', `name: plane-${i}\nroles: [control-plane]\n`)
      const running = await startProcess({ dataDir: directory, config })
      onTestFinished(() => running.kill().catch(() => {}))
      processes.push(running)
      apis.push(await openApi(running.kubeconfig))
    }
    const [one, two] = apis as [Api, Api]

    for (let i = 0; i < 100; i++) {
      const [writer, reader] = i % 2 === 0 ? [one, two] : [two, one]
      const name = `shared-${i % 10}`
      await writer.apply(configMaps, Object.assign(configMap(name), { data: { turn: String(i) } }))
      const { body } = await reader.ok('GET', `${configMaps}/${name}`)
      expect(body.data.turn).toBe(String(i))
    }

    await one.apply(deployments, deployment('first'))
    await eventually(async () => expect(await podsOf(two, 'first')).toHaveLength(3))
    const lease = async (api: Api) =>
      (await api.ok('GET', '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/continuo-controllers')).body.spec
    const { holderIdentity, leaseTransitions } = await lease(one)
    expect(await lease(two)).toMatchObject({ holderIdentity })

    const leading = Number(/^plane-(\d)_/.exec(holderIdentity)?.[1])
    await processes[leading]?.kill()
    const survivor = apis[1 - leading] as Api
    await survivor.apply(deployments, deployment('second'))
    await eventually(async () => expect(await podsOf(survivor, 'second')).toHaveLength(3), 60_000)
    expect(await podsOf(survivor, 'first')).toHaveLength(3)
    expect((await survivor.ok('GET', '/apis/apps/v1/namespaces/default/replicasets')).body.items).toHaveLength(2)
    const successor = await lease(survivor)
    expect(successor.holderIdentity).toMatch(new RegExp(`^plane-${1 - leading}_`))
    expect(successor.leaseTransitions).toBeGreaterThan(leaseTransitions)
    await processes[1 - leading]?.interrupt()
  })
})

const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })

const deployment = (name: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'host', command: ['sleep', '1000'] }] } },
  },
})

const podsOf = async (api: Api, app: string): Promise<readonly unknown[]> =>
  (await api.ok('GET', `/api/v1/namespaces/default/pods?labelSelector=app%3D${app}`)).body.items
