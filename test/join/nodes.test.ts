import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { kubectlMissing, runKubectl } from '../support/kubectl.ts'
import { containerProcesses, isRunning } from '../support/processes.ts'
import {
  type ControlPlane,
  conditionOf,
  deployment,
  deployments,
  invite,
  joinNode,
  kill,
  podsOf,
  startAgain,
  startControlPlane,
  untilReady,
  untilRunning,
} from './machines.ts'

const logs = (plane: ControlPlane, pod: string) => plane.api.send('GET', `/api/v1/namespaces/default/pods/${pod}/log`)

/** What a pod answers through `kubectl port-forward`. */
async function throughForward(plane: ControlPlane, pod: string): Promise<string> {
  const child = spawn('kubectl', ['--kubeconfig', plane.kubeconfig, 'port-forward', `pod/${pod}`, ':8080'])
  onTestFinished(() => void child.kill('SIGKILL'))
  const [line] = await once(child.stdout, 'data')
  const port = /127\.0\.0\.1:(\d+)/.exec(String(line))?.[1]
  return (await fetch(`http://127.0.0.1:${port}`)).text()
}

describe.skipIf(kubectlMissing !== undefined)('nodes that joined', { timeout: 90_000 }, () => {
  it('run pods, whose logs, exec, port-forward and proxy pass over the connections of their agents', async () => {
    const plane = await startControlPlane()
    const line = await invite(plane)
    const [{ directory }] = await Promise.all([joinNode(line, 1), joinNode(line, 2)])
    for (const file of ['node.yaml', 'node-pki/node.pem', 'node-pki/ca.crt'])
      expect((await stat(join(directory, file))).mode & 0o777, file).toBe(0o600)
    await untilReady(plane.api, 'node-1', 'node-2')
    await plane.api.apply(deployments, deployment('web', 4))
    const pods = await untilRunning(plane.api, 'web', 4)
    expect(new Set(pods.map(({ node }) => node))).toEqual(new Set(['node-1', 'node-2']))
    for (const { name } of pods) {
      await eventually(async () => expect((await logs(plane, name)).text).toBe(`hello from ${name}\n`))
      const exec = await runKubectl(plane.kubeconfig, ['exec', name, '--', 'sh', '-c', 'echo $HOSTNAME; exit 7'])
      expect(exec).toMatchObject({ code: 7, stdout: `${name}\n` })
      const { text } = await plane.api.ok('GET', `/api/v1/namespaces/default/pods/${name}:8080/proxy/`)
      expect(text).toBe(`served by ${name}`)
    }
    const [one] = pods
    expect(await throughForward(plane, one.name)).toBe(`served by ${one.name}`)
  })

  it('are left by their pods when they die; come back without a token, keep what is theirs and end what is not', async () => {
    const plane = await startControlPlane()
    const line = await invite(plane)
    const [one] = await Promise.all([joinNode(line, 1), joinNode(line, 2)])
    await untilReady(plane.api, 'node-1', 'node-2')
    await plane.api.apply(deployments, deployment('web', 2))
    const before = await untilRunning(plane.api, 'web', 2)
    const lost = before.find(({ node }) => node === 'node-1')
    if (lost === undefined) throw new Error('no pod on node-1')
    const main = () => containerProcesses(one.directory, lost.uid).main as { pid: number; pidStart: number }
    const stray = main()
    expect(isRunning(stray)).toBe(true)

    await kill(one)
    await eventually(async () => expect((await logs(plane, lost.name)).status).toBe(503))
    await eventually(async () => expect(await conditionOf(plane.api, 'node-1')).toBe('Unknown'))
    await eventually(async () => {
      const { taints = [] } = (await plane.api.ok('GET', '/api/v1/nodes/node-1')).body.spec
      const found = taints.map(({ key, effect }: { key: string; effect: string }) => `${key}:${effect}`)
      expect(found).toContain('node.kubernetes.io/unreachable:NoExecute')
    })
    // Nobody knows whether it still runs: it stays until its node says, and its place is taken elsewhere.
    await eventually(async () => expect(await podsOf(plane.api, 'web')).toContainEqual({ ...lost, isRunning: false, isTerminating: true }))
    expect((await untilRunning(plane.api, 'web', 2)).map(({ node }) => node)).toEqual(['node-2', 'node-2'])
    expect(isRunning(stray)).toBe(true)

    await startAgain(one)
    await untilReady(plane.api, 'node-1')
    await eventually(async () => expect((await podsOf(plane.api, 'web')).map(({ uid }) => uid)).not.toContain(lost.uid))
    await eventually(() => expect(isRunning(stray)).toBe(false))
    await plane.api.apply(deployments, deployment('web', 4))
    const after = await untilRunning(plane.api, 'web', 4)
    expect(after.map(({ node }) => node)).toContain('node-1')
  })

  it('that freeze are noticed by their connection, and go on where they were when they thaw', async () => {
    const plane = await startControlPlane()
    const one = await joinNode(await invite(plane), 1)
    await untilReady(plane.api, 'node-1')
    await plane.api.apply(deployments, deployment('web', 1))
    const [pod] = await untilRunning(plane.api, 'web', 1)
    await eventually(async () => expect((await logs(plane, pod.name)).status).toBe(200))
    const main = containerProcesses(one.directory, pod.uid).main as { pid: number; pidStart: number }
    one.run.child.kill('SIGSTOP')
    await eventually(async () => expect((await logs(plane, pod.name)).status).toBe(503))
    one.run.child.kill('SIGCONT')
    await eventually(async () => expect((await logs(plane, pod.name)).text).toBe(`hello from ${pod.name}\n`))
    await untilReady(plane.api, 'node-1')
    expect(isRunning(main)).toBe(true)
  })

  it('renew their certificate while their connections stay', async () => {
    const plane = await startControlPlane('  csr-signing: { use: "@continuo/plugin-certificates#csrSigning", with: { maxSeconds: 600 } }\n')
    const certificate = '  certificate: { use: "@continuo/plugin-node#nodeCertificate", with: { file: its own, renewAfter: 0.1 } }\n'
    // A certificate begins five minutes in the past: a fifth of fifteen is over when the node starts.
    const one = await joinNode(await invite(plane), 1, certificate)
    await untilReady(plane.api, 'node-1')
    const requests = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
    await eventually(async () => {
      const { body } = await plane.api.ok('GET', requests)
      expect(body.items.map(({ spec }: { spec: { username: string } }) => spec.username)).toContain('system:node:node-1')
    })
    await eventually(() => expect(one.run.output()).toContain('the certificate of the node was renewed'))
    await eventually(() => expect(plane.run.output()).toContain('the agent of a node is connected'))
    expect(plane.run.output()).not.toContain('is not connected any more')
    await kill(one)
    const again = await startAgain(one)
    await eventually(() => expect(again.run.output()).toContain('connected to a replica of the control plane'))
  })
})
