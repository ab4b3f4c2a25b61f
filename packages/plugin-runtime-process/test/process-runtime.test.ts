import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, Host, processesWith } from './harness.ts'

let host: Host

beforeAll(() => {
  host = new Host({
    images: { 'shop:1': { command: ['sh', '-c', 'echo from the image $WHERE $0'], args: ['one'], env: { WHERE: 'here' } } },
  })
})
afterAll(() => host.close())

describe('containers', () => {
  test('runs a command and reports its output and exit code', async () => {
    const started = await host.run('a1', 'echo hello; echo trouble >&2; exit 3')
    expect(started).toMatchObject({ name: 'main', attempt: 0, image: 'host', hash: 'hash' })
    const ended = await host.ended('a1')
    expect(ended).toMatchObject({ state: 'exited', exitCode: 3 })
    expect(ended.signal).toBeUndefined()
    expect(ended.finishedAt).toBeGreaterThanOrEqual(ended.startedAt ?? Number.POSITIVE_INFINITY)
    expect(await host.logs('a1', { stream: 'Stdout' })).toBe('hello\n')
    expect(await host.logs('a1', { stream: 'Stderr' })).toBe('trouble\n')
  })

  test('finds a container of the same attempt instead of starting it twice', async () => {
    const [one, two] = await Promise.all([host.run('a2', 'echo started; sleep 100'), host.run('a2', 'echo started; sleep 100')])
    expect(two.id).toBe(one.id)
    expect(one.state).toBe('running')
    await eventually('output', async () => (await host.logs('a2')) !== '')
    expect(await host.logs('a2')).toBe('started\n')
    const next = await host.run('a2', 'true', { attempt: 1 })
    expect(next.id).not.toBe(one.id)
  })

  test('stops with SIGTERM and reports the exit code that the container chose', async () => {
    await host.run('a3', 'trap "exit 42" TERM; echo ready; while :; do sleep 0.01; done')
    await eventually('ready', async () => (await host.logs('a3')) === 'ready\n')
    await host.runtime.stop({ sandbox: 'a3', name: 'main' }, 10_000)
    expect(await host.state('a3')).toMatchObject({ state: 'exited', exitCode: 42 })
  })

  test('kills a container that ignores SIGTERM after the grace period, with all its descendants', async () => {
    await host.run(
      'a4',
      'trap "" TERM; (setsid sh -c "trap \\"\\" TERM HUP; while :; do sleep 1; done" &) ; echo ready; while :; do sleep 1; done',
    )
    await eventually('ready', async () => (await host.logs('a4')) === 'ready\n')
    const began = performance.now()
    await host.runtime.stop({ sandbox: 'a4', name: 'main' }, 300)
    expect(performance.now() - began).toBeGreaterThanOrEqual(290)
    const state = await host.state('a4')
    expect(state).toMatchObject({ state: 'exited', exitCode: 137, signal: 9 })
    expect(processesWith(state.id)).toEqual([])
  })

  test('kills descendants when the main process ends by itself', async () => {
    const { id } = await host.run('a5', 'setsid sleep 1000 & (sleep 1000 &) ; exit 0')
    await host.ended('a5')
    expect(processesWith(id)).toEqual([])
  })

  test('reports a container killed by a signal as 128 + its number', async () => {
    await host.run('a6', 'kill -USR1 $$')
    expect(await host.ended('a6')).toMatchObject({ exitCode: 138, signal: 10 })
  })

  test('refuses a command that does not exist, names it, and keeps the record', async () => {
    await expect(host.run('a7', '', { command: ['no-such-program'] })).rejects.toMatchObject({
      code: 'RUNTIME_START_FAILED',
      message: 'exec: "no-such-program": executable file not found in $PATH',
    })
    expect(await host.state('a7')).toMatchObject({ state: 'exited', exitCode: 128, message: expect.stringContaining('no-such-program') })
  })

  test('refuses an unknown image by name and leaves nothing behind', async () => {
    await expect(host.run('a8', 'true', { image: 'registry.example/shop:broken' })).rejects.toMatchObject({
      code: 'RUNTIME_IMAGE_NOT_PRESENT',
      message: expect.stringContaining('registry.example/shop:broken'),
    })
    expect((await host.runtime.list()).find((one) => one.uid === 'a8')?.containers).toEqual([])
    expect(await host.runtime.imagePresent('registry.example/shop:broken')).toBe(false)
  })

  test('runs a configured image with its entry point, arguments and environment', async () => {
    await host.run('a9', '', { image: 'shop:1', command: [] })
    await host.ended('a9')
    expect(await host.logs('a9')).toBe('from the image here one\n')
  })

  test('gives the container its address, host name, variables and root directory', async () => {
    const sandbox = await host.sandbox('a10', { hostname: 'web-0' })
    await host.run('a10', 'echo $POD_IP $HOSTNAME $COLOUR "$(pwd)" $CONTINUO_ROOT', { env: [{ name: 'COLOUR', value: 'blue' }] })
    await host.ended('a10')
    const root = join(host.containerPath('a10'), 'rootfs')
    expect(await host.logs('a10')).toBe(`${sandbox.ips[0]} web-0 blue ${root} ${root}\n`)
  })

  test('kills a container above its memory limit and says so', async () => {
    await host.run('a11', 'x=$(head -c 60000000 /dev/zero | tr "\\0" x); sleep 100', { resources: { memoryLimit: 20_000_000 } })
    expect(await host.ended('a11')).toMatchObject({ state: 'exited', exitCode: 137, oomKilled: true })
  })

  test('removes a sandbox with everything in it', async () => {
    const { id } = await host.run('a12', 'sleep 1000')
    await host.runtime.removeSandbox('a12')
    expect((await host.runtime.list()).map((one) => one.uid)).not.toContain('a12')
    expect(processesWith(id)).toEqual([])
    await host.runtime.removeSandbox('a12')
  })

  test('tells about the end of a container without being asked', async () => {
    const abort = new AbortController()
    const events = host.runtime.events(abort.signal)[Symbol.asyncIterator]()
    const next = events.next()
    await host.run('a13', 'sleep 0.2')
    expect((await next).value).toMatchObject({ sandbox: 'a13', container: 'main' })
    abort.abort()
    expect((await events.next()).done).toBe(true)
  })

  test('counts CPU time and memory of running containers', async () => {
    await host.run('a14', 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; sleep 100')
    await eventually('work', async () => (await host.logs('a14')) === 'done\n')
    const [stats] = await host.runtime.stats('a14')
    expect(stats).toMatchObject({ container: 'main' })
    expect(stats?.cpuNanoseconds).toBeGreaterThan(10_000_000)
    expect(stats?.memoryRssBytes).toBeGreaterThan(100_000)
  })
})

describe('the way back after the agent was killed', () => {
  test('adopts a running container without restarting it', async () => {
    const before = await host.run('b1', 'echo once; trap "exit 5" TERM; while :; do sleep 0.01; done')
    const address = (await host.runtime.list()).find((one) => one.uid === 'b1')?.ips
    host.restart()
    expect(await host.state('b1')).toEqual(before)
    expect((await host.sandbox('b1')).ips).toEqual(address)
    expect(await host.run('b1', 'echo twice')).toEqual(before)
    await host.runtime.stop({ sandbox: 'b1', name: 'main' }, 10_000)
    expect(await host.state('b1')).toMatchObject({ state: 'exited', exitCode: 5 })
    expect(await host.logs('b1', { stream: 'Stdout' })).toBe('once\n')
  })

  test('knows the exit code and the last output of a container that ended meanwhile', async () => {
    await host.run('b2', 'sleep 0.3; echo last words; exit 77')
    host.runtime.close()
    await eventually('the exit record', () => {
      try {
        return readFileSync(join(host.containerPath('b2'), 'exit'), 'utf8')
      } catch {
        return undefined
      }
    })
    host.restart()
    expect(await host.state('b2')).toMatchObject({ state: 'exited', exitCode: 77 })
    expect(await host.logs('b2')).toBe('last words\n')
  })

  test('never takes a recycled process id for a container', async () => {
    await host.run('b3', 'sleep 1000')
    await host.runtime.stop({ sandbox: 'b3', name: 'main' }, 0)
    const path = host.containerPath('b3')
    const start = readFileSync(join(path, 'start'), 'utf8')
    rmSync(join(path, 'exit'))
    const forged = start.replace(/shim=.*/, `shim=${process.pid}`)
    writeFileSync(join(path, 'start'), forged)
    host.restart()
    expect(await host.state('b3')).toMatchObject({ state: 'unknown' })
    await host.runtime.stop({ sandbox: 'b3', name: 'main' }, 0)
    expect(process.pid).toBeGreaterThan(0)
  })

  test('takes nothing for running that an earlier boot of the machine left', async () => {
    await host.run('b4', 'sleep 1000')
    const path = join(host.containerPath('b4'), 'start')
    const start = readFileSync(path, 'utf8')
    writeFileSync(path, start.replace(/boot=.*/, 'boot=00000000-0000-0000-0000-000000000000'))
    host.restart()
    expect(await host.state('b4')).toMatchObject({ state: 'unknown', message: 'the machine was restarted while the container ran' })
    writeFileSync(path, start)
  })

  test('says that it does not know the end when the shim was killed, and leaves no process of the container', async () => {
    const { id } = await host.run('b5', '(setsid sleep 1000 &); sleep 1000')
    const shim = Number(/^shim=(\d+)$/m.exec(readFileSync(join(host.containerPath('b5'), 'start'), 'utf8'))?.[1])
    process.kill(shim, 'SIGKILL')
    expect(await host.ended('b5')).toMatchObject({ state: 'unknown' })
    await host.runtime.stop({ sandbox: 'b5', name: 'main' }, 0)
    await eventually('the rest is gone', () => processesWith(id).length === 0)
  })

  test('starts a container that was prepared when the agent was killed', async () => {
    await host.run('b6', 'echo again')
    await host.ended('b6')
    for (const name of ['start', 'exit', 'log']) rmSync(join(host.containerPath('b6'), name))
    host.restart()
    expect(await host.state('b6')).toMatchObject({ state: 'created' })
    await host.run('b6', 'echo again')
    await host.ended('b6')
    expect(await host.logs('b6')).toBe('again\n')
  })
})

describe('removal while a container starts', () => {
  test.each([0, 1, 2, 4, 8, 16])('leaves no process and no directory, %i ms into the start', async (ms) => {
    const uid = `race-${ms}`
    const starting = host.run(uid, 'trap "" TERM; while :; do sleep 0.01; done')
    if (ms > 0) await host.sandbox(uid)
    await sleep(ms)
    await host.runtime.removeSandbox(uid)
    await starting.catch(() => {})
    // A start that came last has made the sandbox again, as it was asked to: only then may something run.
    const left = (await host.runtime.list()).find((sandbox) => sandbox.uid === uid)
    if (left === undefined) await eventually('no process is left', () => processesWith(`/${uid}/`).length === 0, 2_000)
    await host.runtime.removeSandbox(uid)
    expect(existsSync(host.containerPath(uid))).toBe(false)
    await eventually('no process is left', () => processesWith(`/${uid}/`).length === 0, 2_000)
  })
})

describe('stopping', () => {
  test('uses the stop signal of the container', async () => {
    await host.run('e4', 'trap "exit 21" USR1; trap "" TERM; echo ready; while :; do sleep 0.01; done', { stopSignal: 'SIGUSR1' })
    await eventually('ready', async () => (await host.logs('e4')) === 'ready\n')
    await host.runtime.stop({ sandbox: 'e4', name: 'main' }, 10_000)
    expect(await host.state('e4')).toMatchObject({ state: 'exited', exitCode: 21 })
  })
})

describe('addresses', () => {
  test('are different for each sandbox and stay after a restart', async () => {
    const sandboxes = await Promise.all(Array.from({ length: 20 }, (_, index) => host.sandbox(`c${index}`)))
    const addresses = sandboxes.map((one) => one.ips[0])
    expect(new Set(addresses).size).toBe(20)
    host.restart()
    const again = await Promise.all(Array.from({ length: 20 }, (_, index) => host.sandbox(`c${index}`)))
    expect(again.map((one) => one.ips[0])).toEqual(addresses)
    const other = await host.sandbox('c20')
    expect(addresses).not.toContain(other.ips[0])
  })

  test('of a sandbox on the host network is the host’s', async () => {
    expect((await host.sandbox('c21', { hostNetwork: true })).ips).toEqual(['127.0.0.1'])
  })
})
