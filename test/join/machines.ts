import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Api, openApi } from '../support/api.ts'
import { type ContinuoRun, dataDirectory, spawnContinuo } from '../support/continuo.ts'
import { eventually } from '../support/eventually.ts'

const readyMs = 30_000

/** One `continuo` process with a data directory of its own: what would be a machine. */
export interface Machine {
  readonly directory: string
  readonly run: ContinuoRun
}

export interface ControlPlane extends Machine {
  readonly api: Api
  readonly kubeconfig: string
}

/** Slots by which the pace of tests differs from that of clusters. */
const quick = `  node-lifecycle: { use: "@continuo/plugin-controllers#nodeLifecycle", with: { gracePeriodSeconds: 3, checkSeconds: 1 } }
  connections: { use: "@continuo/plugin-node#nodeConnections", with: { pingSeconds: 0.5, pingTimeoutSeconds: 1 } }
`

export async function machineDirectory(name: string): Promise<string> {
  const directory = await dataDirectory(`join-${name}`)
  onTestFinished(() => directory.remove())
  return directory.path
}

async function ready(run: ContinuoRun): Promise<void> {
  const started = eventually(() => {
    if (!/^ready in/m.test(run.output())) throw new Error(`not ready:\n${run.output()}`)
  }, readyMs)
  const failed = run.ended.then(({ output }) => {
    throw new Error(`ended before it was ready:\n${output}`)
  })
  await Promise.race([started, failed])
}

/** `extra` is further YAML of slots. */
export async function controlPlaneConfig(directory: string, extra = ''): Promise<string> {
  const config = join(directory, 'continuo.yaml')
  await writeFile(config, `version: 1\nextends: continuo/config/reference.yaml\nplugins:\n${quick}${extra}`)
  return config
}

/** A process that was started by `args`, once its API answers. */
async function answering(directory: string, args: readonly string[]): Promise<ControlPlane> {
  const run = spawnContinuo([...args, '--data-dir', directory, '--listen', '127.0.0.1:0', '--log-level', 'info'])
  await ready(run)
  const kubeconfig = join(directory, 'kubeconfig')
  const api = await openApi(kubeconfig)
  onTestFinished(() => api[Symbol.dispose]())
  return { directory, run, kubeconfig, api }
}

export async function startControlPlane(extra = ''): Promise<ControlPlane> {
  const directory = await machineDirectory('plane')
  return answering(directory, ['up', '--role', 'control-plane', '--config', await controlPlaneConfig(directory, extra)])
}

/** One more replica, from the line that `token create --control-plane` printed. */
export async function joinControlPlane(line: readonly string[], extra: string): Promise<ControlPlane> {
  const directory = await machineDirectory('plane')
  return answering(directory, [...line, '--config', await controlPlaneConfig(directory, extra)])
}

/** Arguments of the line that `continuo token create` prints. */
export async function invite(plane: ControlPlane, ...flags: readonly string[]): Promise<readonly string[]> {
  const { code, output } = await spawnContinuo(['token', 'create', '--data-dir', plane.directory, ...flags]).ended
  const line = /^continuo (join .*)$/m.exec(output)?.[1]
  if (code !== 0 || line === undefined) throw new Error(`no token: ${output}`)
  return line.split(' ')
}

/** The number keeps addresses of pods apart, which would be those of different machines. */
export async function nodeConfig(directory: string, number: number, extra = ''): Promise<string> {
  const config = join(directory, 'base.yaml')
  const slots = [
    '  proxy: null',
    '  routing: null',
    `  runtime: { use: "@continuo/plugin-runtime-process", with: { addresses: 127.${80 + number}.0.0/16 } }`,
    '  agent: { with: { leaseSeconds: 2, relistMs: 200, onStop: leave } }',
  ]
  await writeFile(config, `version: 1\nextends: continuo/config/reference.yaml\nplugins:\n${slots.join('\n')}\n${extra}`)
  return config
}

export async function joinNode(line: readonly string[], number: number, extra = ''): Promise<Machine> {
  const directory = await machineDirectory(`node-${number}`)
  const config = await nodeConfig(directory, number, extra)
  const run = spawnContinuo([...line, '--data-dir', directory, '--node-name', `node-${number}`, '--config', config])
  await ready(run)
  return { directory, run }
}

/** The same machine after its process has ended: it needs no token. */
export async function startAgain({ directory }: Machine): Promise<Machine> {
  const run = spawnContinuo(['join', '--data-dir', directory])
  await ready(run)
  return { directory, run }
}

export async function kill({ run }: Machine, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  run.child.kill(signal)
  await run.ended
}

export const conditionOf = async (api: Api, node: string): Promise<string> =>
  (await api.ok('GET', `/api/v1/nodes/${node}`)).body.status.conditions.find(({ type }: { type: string }) => type === 'Ready').status

export async function untilReady(api: Api, ...nodes: readonly string[]): Promise<void> {
  for (const node of nodes)
    await eventually(async () => {
      const status = await conditionOf(api, node)
      if (status !== 'True') throw new Error(`node ${node} is ${status}`)
    })
}

export const deployments = '/apis/apps/v1/namespaces/default/deployments'

/** Pods that say who they are and wait, spread over the nodes by the scheduler, gone from a lost node after a second. */
export const deployment = (name: string, replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        terminationGracePeriodSeconds: 1,
        tolerations: ['unreachable', 'not-ready'].map((what) => ({
          key: `node.kubernetes.io/${what}`,
          operator: 'Exists',
          effect: 'NoExecute',
          tolerationSeconds: 1,
        })),
        containers: [
          {
            name: 'main',
            image: 'host',
            command: ['node', '-e'],
            args: [
              'require("http").createServer((q, r) => r.end("served by " + process.env.HOSTNAME)).listen(8080, process.env.POD_IP, () => console.log("hello from " + process.env.HOSTNAME))',
            ],
          },
        ],
      },
    },
  },
})

interface PodFacts {
  readonly name: string
  readonly uid: string
  readonly node: string
  readonly isRunning: boolean
  readonly isTerminating: boolean
}

export async function podsOf(api: Api, app: string): Promise<readonly PodFacts[]> {
  const { body } = await api.ok('GET', `/api/v1/namespaces/default/pods?labelSelector=app%3D${app}`)
  // biome-ignore lint/suspicious/noExplicitAny: JSON of the API
  return body.items.map((pod: any) => ({
    name: pod.metadata.name,
    uid: pod.metadata.uid,
    node: pod.spec.nodeName,
    isRunning: pod.status.phase === 'Running' && pod.metadata.deletionTimestamp === undefined,
    isTerminating: pod.metadata.deletionTimestamp !== undefined,
  }))
}

/** `count` running pods, which is at least one. */
export const untilRunning = (api: Api, app: string, count: number): Promise<readonly [PodFacts, ...PodFacts[]]> =>
  eventually(async () => {
    const pods = await podsOf(api, app)
    const [first, ...others] = pods.filter(({ isRunning }) => isRunning)
    if (first === undefined || others.length + 1 !== count) throw new Error(`running: ${JSON.stringify(pods)}`)
    return [first, ...others]
  }, 30_000)
