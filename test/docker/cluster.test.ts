import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ClusterProcess, startProcess } from '../support/cluster-process.ts'
import { dataDirectory } from '../support/continuo.ts'
import { type Docker, dockerMissing, dockerNote, startDocker } from '../support/docker.ts'
import { eventually } from '../support/eventually.ts'
import { kubectlMissing, kubectls, runKubectl } from '../support/kubectl.ts'

const plugin = fileURLToPath(new URL('../../packages/plugin-runtime-docker/src/index.ts', import.meta.url))
const missing = dockerMissing ?? kubectlMissing

const shop = (image: string) => `
apiVersion: v1
kind: ConfigMap
metadata: { name: shop }
data: { page: "open all day" }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: shop }
spec:
  replicas: 2
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop } }
    spec:
      terminationGracePeriodSeconds: 2
      securityContext: { runAsUser: 1000, fsGroup: 2000 }
      volumes:
        - { name: pages, configMap: { name: shop } }
        - { name: scratch, emptyDir: {} }
      initContainers:
        - { name: prepare, image: "${image}", command: [sh, -c, "echo prepared > /scratch/state"], volumeMounts: [{ name: scratch, mountPath: /scratch }] }
        - { name: side, image: "${image}", restartPolicy: Always, command: [sh, -c, "while :; do sleep 1; done"] }
      containers:
        - name: server
          image: ${image}
          command: [sh, -c, "echo serving on $HOSTNAME; exec httpd -f -p 8080 -h /pages"]
          volumeMounts: [{ name: pages, mountPath: /pages }, { name: scratch, mountPath: /scratch }]
          ports: [{ name: http, containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /page, port: http }, periodSeconds: 1 }
          resources: { requests: { cpu: 10m, memory: 8Mi }, limits: { memory: 32Mi } }
`

const pod = (name: string, image: string, more = '') => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 1
  containers: [{ name: main, image: "${image}", command: [sh, -c, "while read -r line; do echo got $line; done; sleep 600"], ${more} }]
`

describe.skipIf(missing !== undefined)(
  `the reference cluster on Docker${missing === dockerMissing ? dockerNote : ` (skipped: ${missing})`}`,
  () => {
    let docker: Docker
    let directory: Awaited<ReturnType<typeof dataDirectory>>
    let cluster: ClusterProcess
    let config: string
    beforeAll(async () => {
      docker = await startDocker()
      directory = await dataDirectory('docker')
      config = join(directory.path, 'continuo.yaml')
      const settings = JSON.stringify({ socket: docker.socket, cgroupParent: docker.cgroupParent })
      await writeFile(
        config,
        `version: 1\nextends: continuo/config/reference.yaml\nplugins:\n  runtime: { use: ${plugin}, with: ${settings} }\n`,
      )
      cluster = await startProcess({ dataDir: directory.path, config })
    })
    afterAll(async () => {
      await cluster?.interrupt()
      await directory?.remove()
      await docker?.stop()
    })

    async function kubectl(...args: string[]): Promise<string> {
      const { code, stdout, stderr } = await runKubectl(cluster.kubeconfig, args)
      if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}${stdout}`)
      return stdout
    }
    const apply = async (manifest: string): Promise<void> => {
      const { code, stderr } = await runKubectl(cluster.kubeconfig, ['apply', '-f', '-'], { input: manifest })
      expect(stderr).toBe('')
      expect(code).toBe(0)
    }
    /** Ids and starts of all containers that the daemon runs. */
    async function running(): Promise<string[]> {
      const list = (await docker.api('GET', '/containers/json')) as { Id: string }[]
      const details = await Promise.all(
        list.map(({ Id }) => docker.api('GET', `/containers/${Id}/json`) as Promise<{ State: { StartedAt: string } }>),
      )
      return list.map(({ Id }, index) => `${Id} ${details[index]?.State.StartedAt}`).sort()
    }
    const restarts = async () =>
      (await kubectl('get', 'pods', '-l', 'app=shop', '-o', 'jsonpath={.items[*].status.containerStatuses[*].restartCount}')).split(' ')

    it('runs a deployment whose pods become ready by what they serve', async () => {
      await apply(shop(docker.image))
      await kubectl('rollout', 'status', 'deployment/shop', '--timeout=40s')
      const [name = ''] = (await kubectl('get', 'pods', '-l', 'app=shop', '-o', 'jsonpath={.items[*].metadata.name}')).split(' ')
      expect(await kubectl('logs', name, '-c', 'server')).toBe(`serving on ${name}\n`)
      expect(await kubectl('exec', name, '-c', 'server', '--', 'sh', '-c', 'id -u; cat /scratch/state /pages/page')).toBe(
        '1000\nprepared\nopen all day',
      )
      expect(await kubectl('get', 'node', '-o', 'jsonpath={.items[0].status.nodeInfo.containerRuntimeVersion}')).toMatch(/^docker:\/\/\d/)
    })

    it('takes input by exec and attach, copies files, and forwards ports', async () => {
      await apply(pod('lines', docker.image, 'stdin: true'))
      await kubectl('wait', '--for=condition=Ready', 'pod/lines', '--timeout=20s')
      const counted = await runKubectl(cluster.kubeconfig, ['exec', '-i', 'lines', '--', 'wc', '-c'], { input: 'x'.repeat(300_000) })
      expect(counted.stdout.trim()).toBe('300000')
      expect((await runKubectl(cluster.kubeconfig, ['exec', 'lines', '--', 'sh', '-c', 'exit 3'])).stderr).toContain('exit code 3')
      const attached = spawn(kubectls().get('default') as string, ['--kubeconfig', cluster.kubeconfig, 'attach', '-i', 'lines'])
      let seen = ''
      attached.stdout.on('data', (data) => {
        seen += data
      })
      attached.stdin.write('one\n')
      await eventually(() => expect(seen).toContain('got one'))
      attached.kill()
      await once(attached, 'exit')
      expect(await kubectl('logs', 'lines')).toBe('got one\n')
      const there = join(directory.path, 'there')
      await writeFile(there, 'copied\n'.repeat(1000))
      await kubectl('cp', there, 'lines:/tmp/file')
      await kubectl('cp', 'lines:/tmp/file', `${there}.back`)
      expect(await readFile(`${there}.back`, 'utf8')).toBe(await readFile(there, 'utf8'))
      const forward = spawn(kubectls().get('default') as string, [
        '--kubeconfig',
        cluster.kubeconfig,
        'port-forward',
        'deployment/shop',
        ':8080',
      ])
      let said = ''
      forward.stdout.on('data', (data) => {
        said += data
      })
      const port = await eventually(() => /127\.0\.0\.1:(\d+)/.exec(said)?.[1] ?? Promise.reject(new Error(said)))
      expect(await (await fetch(`http://127.0.0.1:${port}/page`)).text()).toBe('open all day')
      forward.kill()
      await once(forward, 'exit')
      await kubectl('delete', 'pod', 'lines', '--wait=true')
    })

    it('says why an image cannot be had, in the words that people know', async () => {
      await apply(pod('absent', '127.0.0.1:1/absent:1'))
      await apply(pod('never', 'absent:1', 'imagePullPolicy: Never'))
      await apply(pod('nonsense', 'Not A Name'))
      const reason = (name: string) => kubectl('get', 'pod', name, '-o', 'jsonpath={.status.containerStatuses[0].state.waiting.reason}')
      await eventually(async () => expect(await reason('never')).toBe('ErrImageNeverPull'))
      await eventually(async () => expect(await reason('nonsense')).toBe('InvalidImageName'))
      await eventually(async () => expect(await reason('absent')).toMatch(/^(ErrImagePull|ImagePullBackOff)$/))
      await kubectl('delete', 'pod', 'absent', 'never', 'nonsense')
    })

    it('restarts no container when the agent is killed, and none when dockerd is', async () => {
      await eventually(async () => expect(await running()).toHaveLength(6))
      const before = await running()
      await cluster.kill()
      expect(await running()).toEqual(before)
      cluster = await startProcess({ dataDir: directory.path, config })
      await kubectl('rollout', 'status', 'deployment/shop', '--timeout=40s')
      expect(await running()).toEqual(before)
      await docker.kill()
      await docker.start()
      await eventually(async () => {
        const name = (await kubectl('get', 'pods', '-l', 'app=shop', '-o', 'jsonpath={.items[0].metadata.name}')).trim()
        expect(await kubectl('exec', name, '-c', 'server', '--', 'echo', 'still')).toBe('still\n')
      })
      await kubectl('rollout', 'status', 'deployment/shop', '--timeout=40s')
      expect(await running()).toEqual(before)
      expect(await restarts()).toEqual(['0', '0'])
    })

    it('removes what is deleted from Docker too', async () => {
      await kubectl('delete', 'deployment', 'shop')
      await eventually(async () => expect(((await docker.api('GET', '/containers/json?all=1')) as unknown[]).length).toBe(0), 20_000)
    })
  },
)
