import { definePlugin } from '@continuo/core'
import { ApiEndpointCap } from '@continuo/workload'
import { afterEach, describe, expect, it } from 'vitest'
import { isLargeYaml } from '../../src/resources/yaml-thread.ts'
import { type RunningApi, startApi } from '../running-api.ts'

let api: RunningApi | undefined
afterEach(async () => {
  await api?.[Symbol.asyncDispose]()
  api = undefined
})

const configMaps = '/api/v1/namespaces/default/configmaps'

/** A config map in YAML of about so many KiB. */
const yamlOf = (name: string, kib: number): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n${Array.from({ length: kib * 16 }, (_, i) => `  key-${i}: "${'x'.repeat(48)}"`).join('\n')}\n`

describe('large YAML', () => {
  it('is told from JSON and from what is small', () => {
    expect(isLargeYaml(Buffer.from(yamlOf('a', 1)))).toBe(false)
    expect(isLargeYaml(Buffer.from(yamlOf('a', 100)))).toBe(true)
    expect(isLargeYaml(Buffer.from(` \n{"a": "${'x'.repeat(100_000)}"}`))).toBe(false)
  })

  it('is read while others are served', async () => {
    api = await startApi()
    const running = api
    let longest = 0
    let over = false
    const beside = (async () => {
      while (!over) {
        const began = performance.now()
        await new Promise((resolve) => setImmediate(resolve))
        longest = Math.max(longest, performance.now() - began)
      }
    })()
    const made = await running.call(configMaps, {
      method: 'POST',
      body: yamlOf('big', 600),
      headers: { 'content-type': 'application/yaml' },
    })
    over = true
    await beside
    expect([made.status, Object.keys(made.json.data).length]).toEqual([201, 9_600])
    // On the spot it takes some 400 ms; the rest of the work for so large an object has its share here.
    expect(longest).toBeLessThan(300)
  })

  it('is refused for the same reasons as small', async () => {
    api = await startApi()
    const broken = await api.call(configMaps, {
      method: 'POST',
      body: `${yamlOf('a', 100)}  : : [`,
      headers: { 'content-type': 'application/yaml' },
    })
    expect([broken.status, broken.json.reason]).toEqual([400, 'BadRequest'])
    const twice = await api.call(`${configMaps}?fieldValidation=Strict`, {
      method: 'POST',
      body: `${yamlOf('a', 100)}  key-1: again\n`,
      headers: { 'content-type': 'application/yaml' },
    })
    expect(twice.status).toBe(400)
    expect(twice.json.message).toMatch(/key-1/)
  })
})

describe('health', () => {
  const sick = definePlugin({
    name: 'sick',
    api: '^1',
    setup(ctx) {
      const fail = (): void => {
        throw new RangeError('away')
      }
      ctx.health({ name: 'outside', readinessOnly: true, check: fail })
    },
  })

  it('of a process is one thing, and what it needs from elsewhere another: /livez passes, /readyz and /healthz fail', async () => {
    api = await startApi({}, [{ slot: 'sick', plugin: sick }])
    expect((await api.call('/livez')).status).toBe(200)
    const ready = await api.call('/readyz?verbose')
    expect(ready.status).toBe(500)
    expect(ready.text).toContain('[-]sick/outside failed')
    expect((await api.call('/healthz')).status).toBe(500)
    const without = await api.call('/readyz?verbose&exclude=sick/outside')
    expect([without.status, without.text.includes('[+]sick/outside excluded: ok')]).toEqual([200, true])
    expect((await api.call('/readyz/sick/outside')).status).toBe(500)
    expect((await api.call('/readyz/ping')).text).toBe('ok')
    expect((await api.call('/livez/sick/outside')).status).toBe(404)
  })
})

describe('HEAD over HTTP/2', () => {
  it('of a large document tells its length and ends its stream', async () => {
    api = await startApi()
    const session = api.session()
    for (const path of ['/openapi/v2', '/metrics', '/apis']) {
      const stream = session.request({ ':path': path, ':method': 'HEAD', 'accept-encoding': 'gzip' })
      const closed = new Promise((resolve) => stream.once('close', resolve))
      stream.resume()
      await closed
    }
    await expect.poll(() => session.state.outboundQueueSize ?? 0).toBe(0)
  })
})

describe('a server that stops', () => {
  it('tells so in /readyz before anything else, refuses new work with 503 and Retry-After, and ends watches spread out', async () => {
    const gate = Promise.withResolvers<void>()
    // It stops after the API, which answers meanwhile.
    const slow = definePlugin({
      name: 'slow',
      api: '^1',
      requires: { endpoint: ApiEndpointCap },
      setup: (ctx) => ctx.onStop(() => gate.promise),
    })
    api = await startApi({}, [{ slot: 'slow', plugin: slow }])
    const running = api
    const session = running.session()
    const ended: number[] = []
    const watches: Promise<void>[] = []
    for (let at = 0; at < 100; at++) {
      const watch = session.request({ ':path': `${configMaps}?watch=true` })
      await new Promise((resolve) => watch.once('response', resolve))
      const end = Promise.withResolvers<void>()
      watch.resume().once('end', () => {
        ended.push(performance.now())
        end.resolve()
      })
      watches.push(end.promise)
    }
    const stopped = running.host.stop()
    const ready = await running.call('/readyz?verbose')
    expect([ready.status, ready.text.includes('[-]started failed')]).toEqual([500, true])
    expect((await running.call('/livez')).status).toBe(200)
    expect((await running.call('/version')).status).toBe(200)
    gate.resolve()
    await Promise.all(watches)
    await stopped
    expect(ended).toHaveLength(100)
    expect((ended.at(-1) as number) - (ended[0] as number)).toBeGreaterThan(20)
  })
})
