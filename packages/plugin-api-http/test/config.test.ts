import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { parseListen } from '../src/config.ts'
import { apiHttpConfig } from '../src/index.ts'
import { servingNames, urlHost } from '../src/server/certificates.ts'

describe('configuration', () => {
  it('accepts what the README shows, and nothing', async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
    const snippet = /```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
    expect(apiHttpConfig.parse(parse(snippet).plugins.api.with)).toMatchObject({
      listen: '0.0.0.0:6443',
      limits: { longRunning: 5_000, reads: 400 },
    })
    expect(apiHttpConfig.parse({})).toMatchObject({ tls: true, authorization: 'AlwaysAllow', limits: { bodyBytes: 3_145_728 } })
  })

  it('names every fault with its path', () => {
    const { error } = apiHttpConfig.safeParse({ listen: '6443', tls: 'yes', authorization: 'Maybe', limits: { reads: 0 }, lisen: 1 })
    expect(error?.issues.map((issue) => issue.path.join('.')).sort()).toEqual(['', 'authorization', 'limits.reads', 'listen', 'tls'])
  })

  it('reads addresses', () => {
    expect(parseListen('[::1]:80')).toEqual({ host: '::1', port: 80 })
    expect(parseListen('localhost:0')).toEqual({ host: 'localhost', port: 0 })
    for (const text of ['localhost', ':80', '::1:80', 'a:70000', 'a b:1', 'http://a:1']) expect(parseListen(text)).toBeUndefined()
  })

  it('puts every name by which the server is reached into its certificate, and no wildcard', () => {
    const names = servingNames(['0.0.0.0', 'demo.example'], ['10.0.0.1'], 'Box')
    expect(names).toEqual(
      expect.arrayContaining(['localhost', '127.0.0.1', '::1', 'box', 'kubernetes.default.svc.cluster.local', 'demo.example', '10.0.0.1']),
    )
    expect(names).not.toContain('0.0.0.0')
    expect([urlHost('0.0.0.0'), urlHost('::1'), urlHost('demo.example')]).toEqual(['127.0.0.1', '[::1]', 'demo.example'])
  })
})
