import { existsSync } from 'node:fs'
import type { PodNetwork } from '@continuo/workload'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Docker, dockerMissing, dockerNote, startDocker } from '../support/docker.ts'
import { eventually } from '../support/eventually.ts'
import { Pods, runtimeOn, sandboxSpec } from './harness.ts'

const idle = "trap 'exit 0' TERM; while :; do sleep 0.05; done"

describe.skipIf(dockerMissing !== undefined)(`what outlives agents and dockerd${dockerNote}`, () => {
  let docker: Docker
  let pods: Pods
  beforeAll(async () => {
    docker = await startDocker()
    pods = new Pods(docker)
  })
  afterEach(() => pods?.clear())
  afterAll(() => docker?.stop())

  it('leaves the pods of other clusters alone, even those with the same uid', async () => {
    const other = new Pods(docker, runtimeOn(docker, 'other'))
    const { id } = await pods.run('a', idle)
    expect((await other.run('a', idle)).id).not.toBe(id)
    await other.run('b', idle)
    expect((await pods.runtime.list()).map(({ uid }) => uid)).toEqual(['a'])
    await other.clear()
    expect(await pods.state('a')).toMatchObject({ id, state: 'running' })
    await expect(pods.runtime.stop({ sandbox: 'b', name: 'main' }, 0)).rejects.toMatchObject({ code: 'RUNTIME_NOT_FOUND' })
  })

  it('says that dockerd is away and what to do, and goes on when it is back: nothing was restarted', async () => {
    const before = await pods.run('a', `i=0; while :; do echo $i; i=$((i+1)); sleep 0.05; done`)
    const stop = new AbortController()
    const seen = new Set<string>()
    const reading = (async () => {
      for await (const { sandbox, container } of pods.runtime.events(stop.signal)) seen.add(`${sandbox}/${container ?? ''}`)
    })()
    await docker.kill()
    const away = { code: 'RUNTIME_UNAVAILABLE', hint: expect.stringContaining('dockerd') }
    const one = { sandbox: 'a', name: 'main' }
    const { runtime } = pods
    const calls = [() => runtime.list(), () => runtime.check(), () => pods.run('b', idle), () => runtime.stop(one, 1_000)]
    for (const call of [...calls, () => runtime.images(), () => runtime.portForward('a', 80, stop.signal)])
      await expect(call()).rejects.toMatchObject(away)
    await docker.start()
    await pods.runtime.check()
    expect(await pods.state('a')).toMatchObject({ id: before.id, state: 'running', startedAt: before.startedAt, attempt: 0 })
    expect((await pods.exec('a', 'echo still here')).out).toBe('still here')
    const lines = async () => (await pods.logs('a')).trimEnd().split('\n').map(Number)
    const count = (await lines()).length
    const later = await eventually(async () => {
      const now = await lines()
      expect(now.length).toBeGreaterThan(count)
      return now
    })
    expect(later).toEqual(later.map((_, index) => index))
    await eventually(() => expect(seen).toContain('a/'))
    await pods.runtime.stop(one, 0)
    await eventually(() => expect(seen).toContain('a/main'))
    stop.abort()
    await reading
  })

  it('does not take a stop for done that dockerd was too short-lived for', async () => {
    await pods.run('a', "trap '' TERM; while :; do sleep 0.05; done")
    const stopping = pods.runtime.stop({ sandbox: 'a', name: 'main' }, 30_000).catch((error: unknown) => error)
    await eventually(async () => expect((await pods.exec('a', 'ps')).code).toBe(0))
    await docker.kill()
    expect(await stopping).toMatchObject({ code: 'RUNTIME_UNAVAILABLE' })
    await docker.start()
    expect((await pods.state('a')).state).toBe('running')
    await pods.runtime.stop({ sandbox: 'a', name: 'main' }, 50)
    expect((await pods.state('a')).exitCode).toBe(137)
  })

  it('has its addresses from the pod network when there is one, and gives them back', async () => {
    const attached = new Map<string, string>([['stray', '10.7.0.9']])
    const network: PodNetwork = {
      attach: async ({ uid, namespace, name, netns = '', hostPorts }) => {
        expect([namespace, name, existsSync(netns)]).toEqual(['default', `pod-${uid}`, true])
        expect(hostPorts).toEqual([{ containerPort: 80, hostPort: 8080, protocol: 'TCP' }])
        const ip = attached.get(uid) ?? `10.7.0.${attached.size}`
        attached.set(uid, ip)
        return { ips: [ip], netns }
      },
      detach: async (uid) => void attached.delete(uid),
      attached: async () => [...attached.keys()],
    }
    const own = new Pods(docker, runtimeOn(docker, 'networked', { network }))
    const ports = [{ containerPort: 80, hostPort: 8080, protocol: 'TCP' as const }]
    const made = await own.runtime.ensureSandbox(sandboxSpec('a', { ports }))
    expect(made.ips).toEqual(['10.7.0.1'])
    await own.run('a', idle)
    expect((await own.exec('a', 'ip -o link')).out).toMatch(/^1: lo[^\n]*$/)
    const again = runtimeOn(docker, 'networked', { network })
    expect((await again.list())[0]).toMatchObject({ uid: 'a', ips: ['10.7.0.1'] })
    expect([...attached.keys()]).toEqual(['a'])
    await again.removeSandbox('a')
    expect(attached.size).toBe(0)
  })
})
