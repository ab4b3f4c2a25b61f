import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { spawnContinuo } from '../support/continuo.ts'
import { type Etcd, etcdMissing, etcdNote, startEtcd } from '../support/etcd.ts'
import { eventually } from '../support/eventually.ts'
import { kubectlMissing, runKubectl } from '../support/kubectl.ts'
import {
  type ControlPlane,
  deployment,
  deployments,
  invite,
  joinControlPlane,
  joinNode,
  kill,
  machineDirectory,
  startControlPlane,
  untilReady,
  untilRunning,
} from './machines.ts'

describe.skipIf(etcdMissing !== undefined || kubectlMissing !== undefined)(
  `several control planes on one store${etcdNote}`,
  { timeout: 120_000 },
  () => {
    let etcd: Etcd
    beforeAll(async () => {
      etcd = await startEtcd({ members: 1 })
    })
    afterAll(() => etcd?.stop())

    const store = (): string =>
      `  store: { use: "@continuo/plugin-store-etcd", with: ${JSON.stringify({ endpoints: etcd.endpoints, prefix: 'planes:' })} }\n`
    const echo = (plane: ControlPlane, pod: string) => runKubectl(plane.kubeconfig, ['exec', pod, '--', 'sh', '-c', 'echo $HOSTNAME'])

    it('share their keys, each reaches every node, and one goes on where another was killed', async () => {
      const one = await startControlPlane(store())
      const two = await joinControlPlane(await invite(one, '--control-plane'), store())
      await joinNode(await invite(one), 1)
      await untilReady(two.api, 'node-1')
      await one.api.apply(deployments, deployment('web', 2))
      const [pod] = await untilRunning(two.api, 'web', 2)
      for (const plane of [one, two])
        await eventually(async () => expect(await echo(plane, pod.name)).toMatchObject({ code: 0, stdout: `${pod.name}\n` }))

      // What one replica issued, the other accepts: certificates of one authority, tokens of one key.
      const ask = (plane: ControlPlane, args: readonly string[]) => runKubectl(plane.kubeconfig, args)
      const { stdout: token } = await ask(one, ['create', 'token', 'default'])
      const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: { name: '' }, spec: { token: token.trim() } }
      const { body } = await two.api.ok('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { body: review })
      expect(body.status).toMatchObject({ authenticated: true, user: { username: 'system:serviceaccount:default:default' } })
      const addresses = async (plane: ControlPlane): Promise<readonly string[]> =>
        (await plane.api.ok('GET', '/api/v1/namespaces/default/endpoints/kubernetes')).body.subsets
          .flatMap(({ ports }: { ports: readonly { port: number }[] }) => ports.map(({ port }) => `https://127.0.0.1:${port}`))
          .sort()
      await eventually(async () => expect(await addresses(two)).toEqual([one.api.server, two.api.server].sort()))

      await kill(one)
      await two.api.apply(deployments, deployment('web', 3))
      const survivors = await untilRunning(two.api, 'web', 3)
      expect(survivors.map(({ name }) => name)).toContain(pod.name)
      expect(await echo(two, pod.name)).toMatchObject({ code: 0 })
    })

    it('are not joined with another key, without published keys, or on a store of their own', async () => {
      const one = await startControlPlane(store())
      const line = await invite(one, '--control-plane')
      const directory = await machineDirectory('refused')
      const config = join(directory, 'etcd.yaml')
      await writeFile(config, `version: 1\nextends: continuo/config/reference.yaml\nplugins:\n${store()}`)
      const refused = async (args: readonly string[]): Promise<string> => {
        const { code, output } = await spawnContinuo([...args, '--data-dir', join(directory, 'data')]).ended
        expect(code).toBe(1)
        return output
      }
      expect(await refused(line)).toContain('has a store of its own')
      expect(await refused([...line.slice(0, -1), 'f'.repeat(64), '--config', config])).toContain('does not open the keys')
      const node = await invite(one)
      expect(await refused([...node, '--control-plane', '--certificate-key', line.at(-1) as string, '--config', config])).toContain(
        'does not let this machine join',
      )
      await rm(join(one.directory, 'pki', 'ca.key'))
      const { code, output } = await spawnContinuo(['token', 'create', '--control-plane', '--data-dir', one.directory]).ended
      expect(code).toBe(1)
      expect(output).toContain('pki/ca.key')
    })
  },
)
