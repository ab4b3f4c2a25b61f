import { request as httpRequest } from 'node:http'
import type { Duplex } from 'node:stream'
import { systemClock } from '@continuo/core'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { Bench, type BenchOptions, statusOf } from './bench.ts'

let bench: Bench
const start = async (options?: BenchOptions): Promise<Bench> => {
  bench = await Bench.start(options)
  return bench
}
afterEach(() => bench[Symbol.asyncDispose]())

interface Answer {
  readonly status: number
  readonly body: string
}

/** One request through the connection that the agent keeps to its control plane. */
async function ask(path: string, seen: (text: string) => void = () => {}): Promise<Answer> {
  const stream = await bench.dial()
  return new Promise((resolve, reject) => {
    httpRequest({ path, createConnection: () => stream, headers: { connection: 'close' } }, (response) => {
      let body = ''
      response.on('data', (chunk) => {
        body += chunk
        seen(body)
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      response.on('error', reject)
    })
      .on('error', reject)
      .end()
  })
}

const logs = (query = '', container = 'main') => ask(`/containerLogs/default/web/${container}${query}`)

describe('logs', () => {
  it('are those of the container, by lines and by stream', async () => {
    await start({ programs: { app: { output: ['one', 'two', 'three'], errors: ['oops'] } } })
    await bench.create('web')
    await bench.running('web')
    expect(await logs()).toEqual({ status: 200, body: 'one\ntwo\nthree\noops\n' })
    expect((await logs('?tailLines=2')).body).toBe('three\noops\n')
    expect((await logs('?stream=Stderr')).body).toBe('oops\n')
    expect((await logs('?limitBytes=5')).body).toBe('one\nt')
    expect((await logs('?timestamps=true&tailLines=1')).body).toMatch(/^2026-01-01T00:00:\d\d\.\d+Z oops\n$/)
  })

  it('of a container that waits are refused with the reason', async () => {
    await start({ missingImages: new Set(['nowhere']) })
    await bench.create('web', { containers: [{ name: 'main', image: 'nowhere' }] })
    await bench.until('web', (pod) => statusOf(pod)?.state?.waiting?.reason === 'ErrImagePull')
    expect(await logs()).toEqual({ status: 400, body: 'container "main" in pod "web" is waiting to start: ErrImagePull' })
  })

  it('of the attempt before are there once there was one', async () => {
    await start({ programs: { app: { output: ['hello'] } } })
    const pod = await bench.create('web')
    await bench.running('web')
    expect(await logs('?previous=true')).toEqual({ status: 400, body: 'previous terminated container "main" in pod "web" not found' })
    bench.runtime.write({ sandbox: pod.metadata.uid ?? '', name: 'main' }, 'last words')
    bench.runtime.crash({ sandbox: pod.metadata.uid ?? '', name: 'main' }, 1)
    await bench.until('web', (now) => statusOf(now)?.restartCount === 1 && statusOf(now)?.state?.running !== undefined)
    expect((await logs('?previous=true')).body).toBe('hello\nlast words\n')
    expect((await logs()).body).toBe('hello\n')
  })

  it('while it backs off, are those of the attempt that ended last, previous or not', async () => {
    await start({ programs: { app: { output: ['try'], exitAfterMs: 1_000, exitCode: 1 } } })
    await bench.create('web')
    await bench.until('web', (now) => statusOf(now)?.state?.waiting?.reason === 'CrashLoopBackOff')
    expect((await logs()).body).toBe('try\n')
    expect((await logs('?previous=true')).body).toBe('try\n')
  })

  it('are followed until the container ends', async () => {
    await start({ programs: { app: { output: ['first'] } } })
    const pod = await bench.create('web')
    await bench.running('web')
    const ref = { sandbox: pod.metadata.uid ?? '', name: 'main' }
    let body = ''
    const done = ask('/containerLogs/default/web/main?follow=true', (text) => {
      body = text
    })
    await expect.poll(() => body).toBe('first\n')
    bench.runtime.write(ref, 'second')
    await expect.poll(() => body).toBe('first\nsecond\n')
    bench.runtime.crash(ref, 0)
    expect((await done).body).toBe('first\nsecond\n')
  })

  it.each([
    ['/containerLogs/default/other/main', 404, 'pod "default/other" is not on this node'],
    ['/containerLogs/default/web/nobody', 400, 'container nobody is not valid for pod web'],
    ['/containerLogs/default/web/main?tailLines=-1', 400, 'tailLines must be a whole number of at least 0, not "-1"'],
    [
      '/containerLogs/default/web/main?sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z',
      400,
      'at most one of sinceTime or sinceSeconds may be specified',
    ],
    ['/containerLogs/default/%E0%A4%A/main', 400, 'not a segment of a path: %E0%A4%A'],
    ['//', 400, 'not a path: //'],
    ['/exec/default/web/main', 400, 'Upgrade request required'],
    ['/nonsense', 404, 'no such path: /nonsense'],
  ])('of %s are answered with %i', async (path, status, body) => {
    await start()
    await bench.create('web')
    await bench.running('web')
    expect(await ask(path)).toEqual({ status, body })
    expect((await ask('/healthz')).body).toBe('ok')
  })
})

describe('exec', () => {
  const exec = async (query: string): Promise<{ readonly out: string; readonly err: string; readonly status: unknown }> => {
    const stream: Duplex = await bench.dial()
    const socket = new WebSocket(`ws://agent/exec/default/web/main?${query}`, ['v5.channel.k8s.io'], { createConnection: () => stream })
    const parts: Record<number, string> = {}
    return new Promise((resolve, reject) => {
      socket.on('message', (data: Buffer) => {
        parts[data[0] as number] = (parts[data[0] as number] ?? '') + data.subarray(1).toString()
      })
      socket.on('close', () =>
        resolve({ out: parts[1] ?? '', err: parts[2] ?? '', status: parts[3] === undefined ? undefined : JSON.parse(parts[3]) }),
      )
      socket.on('error', reject)
    })
  }

  it('runs the command over a WebSocket and tells its output and exit code', async () => {
    const commands: (readonly string[])[] = []
    await start({
      programs: {
        app: {
          exec: (command) => {
            commands.push(command)
            return { exitCode: 7, stdout: 'out', stderr: 'err' }
          },
        },
      },
    })
    await bench.create('web')
    await bench.running('web')
    const answer = await exec('command=ls&command=-l&stdout=true&stderr=true')
    expect(commands).toEqual([['ls', '-l']])
    expect(answer).toMatchObject({ out: 'out', err: 'err', status: { status: 'Failure', reason: 'NonZeroExitCode' } })
  })

  it('says what is wrong when the container does not run', async () => {
    await start({ programs: { app: { exitAfterMs: 1_000, exitCode: 1 } } })
    await bench.create('web')
    await bench.until('web', (now) => statusOf(now)?.state?.waiting?.reason === 'CrashLoopBackOff')
    expect((await exec('command=ls&stdout=true')).status).toMatchObject({ status: 'Failure', message: 'container main does not run' })
  })

  it('of a pod that is not here is refused before the upgrade', async () => {
    await start()
    await expect(exec('command=ls')).rejects.toThrow('Unexpected server response: 404')
  })

  it('ends with the agent', async () => {
    await start({ programs: { app: { exec: () => ({ exitCode: 0, afterMs: Number.POSITIVE_INFINITY }) } } })
    await bench.create('web')
    await bench.running('web')
    const running = exec('command=top&stdout=true')
    await systemClock.sleep(20)
    await bench.stopAgent()
    await running.catch(() => {})
  })
})
