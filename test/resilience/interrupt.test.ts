import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Api, openApi } from '../support/api.ts'
import { startProcess } from '../support/cluster-process.ts'
import { type ContinuoRun, dataDirectory, spawnContinuo } from '../support/continuo.ts'
import { eventually } from '../support/eventually.ts'
import { processesWith } from '../support/processes.ts'

const hello = fileURLToPath(new URL('../../examples/hello', import.meta.url))
const pods = '/api/v1/namespaces/default/pods'

let data: Awaited<ReturnType<typeof dataDirectory>>
beforeEach(async () => {
  data = await dataDirectory('interrupt')
})
afterEach(() => data.remove())

const shell = (script: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web' },
  spec: { containers: [{ name: 'main', image: 'host', command: ['sh', '-c', script] }] },
})
const obedient = shell('trap "exit 0" TERM; while :; do sleep 0.1; done')
const stubborn = shell('trap "" TERM INT; while :; do sleep 0.1; done')

const ready = (api: Api): Promise<void> =>
  eventually(async () => expect((await api.ok('GET', `${pods}/web`)).body.status.containerStatuses?.[0]?.ready).toBe(true))

async function start(api: Api, pod: unknown): Promise<void> {
  await api.ok('POST', pods, { body: pod })
  await ready(api)
}

const up = (): ContinuoRun => spawnContinuo(['up', '--data-dir', data.path, '--listen', '127.0.0.1:0', '--log-level', 'warn'])
const started = (run: ContinuoRun): Promise<void> => eventually(() => expect(run.output()).toContain('ready in'))
const nothingRuns = (): Promise<void> => eventually(() => expect(processesWith(data.path)).toEqual([]), 2_000)

describe('a cluster that is told to stop', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'by %s ends in good order, quietly, with every process, and goes on when started again',
    async (signal) => {
      const run = up()
      await started(run)
      using api = await openApi(`${data.path}/kubeconfig`)
      await start(api, obedient)
      run.child.kill(signal)
      expect((await run.ended).code).toBe(0)
      await nothingRuns()
      // Nothing is said about informers, watches or connections that end because everything does.
      expect(run.output()).not.toMatch(/"level":(40|50|60)/)

      const again = await startProcess({ dataDir: data.path })
      using next = await openApi(again.kubeconfig)
      await ready(next)
      expect(await again.interrupt()).toBe(0)
      await nothingRuns()
    },
  )

  it('twice ends at once, leaves its containers, and the next start takes them over', async () => {
    const run = up()
    await started(run)
    using api = await openApi(`${data.path}/kubeconfig`)
    await start(api, stubborn)
    run.child.kill('SIGINT')
    // Two within a moment are one wish that a wrapper has doubled.
    await sleep(1_700)
    const asked = performance.now()
    run.child.kill('SIGINT')
    expect((await run.ended).code).toBe(130)
    expect(performance.now() - asked).toBeLessThan(1_000)

    const again = await startProcess({ dataDir: data.path })
    using next = await openApi(again.kubeconfig)
    await ready(next)
    await again.kill()
  })

  it('twice at once, as by a terminal and a wrapper, still ends in good order', async () => {
    const run = up()
    await started(run)
    run.child.kill('SIGINT')
    run.child.kill('SIGINT')
    expect((await run.ended).code).toBe(0)
    await nothingRuns()
  })
})

it('told to stop anywhere in its start, ends without a stack trace or a process, and starts again on the same data', async () => {
  for (const ms of [50, 200, 350, 500, 650, 800]) {
    const run = up()
    await sleep(ms)
    run.child.kill('SIGINT')
    const { code, output } = await run.ended
    // Before the first line of ours runs the signal itself ends the process; after `ready` it is a stop like any other.
    expect([null, 130, ...(output.includes('ready in') ? [0] : [])], `after ${ms} ms: ${output}`).toContain(code)
    expect(output).not.toMatch(/^\s+at /m)
    await nothingRuns()
  }
  const again = await startProcess({ dataDir: data.path })
  expect(await again.interrupt()).toBe(0)
  await nothingRuns()
})

it('`start` shows where it serves, stops everything on Ctrl-C, and continues from its data', async () => {
  const args = ['start', hello, '--data-dir', data.path, '--listen', '127.0.0.1:0']
  const run = spawnContinuo(args)
  const url = await eventually(() => /service hello: (http:\S+)/.exec(run.output())?.[1] ?? expect.fail(run.output()), 60_000)
  await eventually(async () => expect(await (await fetch(url)).text()).toMatch(/^Hello from Continuo/))
  run.child.kill('SIGINT')
  expect((await run.ended).code).toBe(0)
  await nothingRuns()
  await expect(fetch(url)).rejects.toThrow()

  const again = spawnContinuo(args)
  const same = await eventually(() => /service hello: (http:\S+)/.exec(again.output())?.[1] ?? expect.fail(again.output()), 60_000)
  expect(same).toBe(url)
  await eventually(async () => expect(await (await fetch(url)).text()).toMatch(/^Hello from Continuo/))
  again.child.kill('SIGINT')
  expect((await again.ended).code).toBe(0)
  await nothingRuns()

  // Given up half-way, it ends as well.
  const third = spawnContinuo(args)
  await eventually(() => expect(third.output()).toContain('Wait until it serves'), 30_000)
  third.child.kill('SIGINT')
  expect([0, 130]).toContain((await third.ended).code)
  expect(third.output()).not.toMatch(/^\s+at /m)
  await nothingRuns()
})
