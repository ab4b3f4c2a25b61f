// A pod's start on Docker beside the same containers made by bare calls of its API, by turns in one run, at several pods side by side.
//   node --conditions=@continuo/source bench/docker-start.bench.ts [rounds, default 7] [pods side by side, default 1,10]

import { request } from 'node:http'
import { silentLog, systemClock } from '@continuo/core'
import { DockerRuntime, runtimeDockerConfig } from '@continuo/plugin-runtime-docker'
import { sandboxOptions } from '../packages/plugin-runtime-docker/src/translate/sandbox-options.ts'
import { containerSpec, sandboxSpec } from '../test/docker/harness.ts'
import { type Docker, dockerMissing, startDocker } from '../test/support/docker.ts'
import { header, range, ratios, row, spread } from './support/figures.ts'

const rounds = Number(process.argv[2] ?? 7)
const sizes = (process.argv[3] ?? '1,10').split(',').map(Number)

if (dockerMissing !== undefined) {
  console.log(`skipped: ${dockerMissing}`)
  process.exit(0)
}

const docker = await startDocker()
const config = { ...runtimeDockerConfig.parse({ socket: docker.socket, cgroupParent: docker.cgroupParent }), owner: 'bench' }
const runtime = new DockerRuntime({ config, clock: systemClock, log: silentLog, hostAddress: () => '127.0.0.1' })
const command = ['sleep', '3600']

/** One call of the API without a library. */
function call(method: string, path: string, body?: unknown): Promise<string> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body)
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
    const asked = request({ socketPath: docker.socket, method, path, headers }, (answer) => {
      let said = ''
      answer.on('data', (chunk) => {
        said += chunk
      })
      answer.on('end', () => ((answer.statusCode ?? 500) < 400 ? resolve(said) : reject(new Error(said))))
    })
    asked.on('error', reject)
    asked.end(text)
  })
}

/** The least that makes a pod: a container that holds the namespaces and one that joins them. */
async function bare(uid: string, { image }: Docker, pauseImage: string): Promise<void> {
  const around = { owner: 'bare', pauseImage, cgroupParent: `/${docker.cgroupParent}/bare${uid}`, network: 'bridge' }
  const { name, ...sandbox } = sandboxOptions(sandboxSpec(uid), around)
  await call('POST', `/containers/create?name=${name}`, sandbox)
  await call('POST', `/containers/${name}/start`)
  const joined = `container:${name}`
  const HostConfig = { NetworkMode: joined, IpcMode: joined, CgroupParent: around.cgroupParent, CpuShares: 2 }
  await call('POST', `/containers/create?name=${name}-main`, { Image: image, Entrypoint: command, HostConfig })
  await call('POST', `/containers/${name}-main/start`)
}

async function ours(uid: string): Promise<void> {
  await runtime.ensureSandbox(sandboxSpec(uid))
  await runtime.ensureContainer(containerSpec(docker, uid, '', { command }))
}

async function clear(): Promise<void> {
  const all = JSON.parse(await call('GET', '/containers/json?all=1')) as { Id: string }[]
  await Promise.all(all.map(({ Id }) => call('DELETE', `/containers/${Id}?force=1&v=1`)))
}

async function taken(pods: number, start: (uid: string) => Promise<void>): Promise<number> {
  const began = performance.now()
  await Promise.all(Array.from({ length: pods }, (_, index) => start(`pod-${index}`)))
  const ms = performance.now() - began
  await clear()
  return ms
}

try {
  await runtime.check()
  const pause = (await runtime.images()).flatMap(({ tags }) => tags).find((tag) => tag.startsWith('continuo/pause')) as string
  const floor = (uid: string): Promise<void> => bare(uid, docker, pause)
  await taken(1, ours)
  await taken(1, floor)
  header(['pods at once', 'bare calls, ms', 'runtime-docker, ms', 'ratio of pairs, median (range)'])
  for (const pods of sizes) {
    const [least, mine]: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      // Who is first changes, so that neither has the warmer daemon.
      if (round % 2 === 0) least.push(await taken(pods, floor))
      mine.push(await taken(pods, ours))
      if (round % 2 === 1) least.push(await taken(pods, floor))
    }
    const pairs = ratios(mine, least)
    row([pods, spread(least), spread(mine), `${spread(pairs, 2).split(' ')[0]} (${range(pairs, 2)})`])
  }
} finally {
  await clear().catch(() => {})
  await docker.stop()
}
