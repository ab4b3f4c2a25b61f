import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openApi } from '../support/api.ts'
import { startProcess } from '../support/cluster-process.ts'
import { dataDirectory, spawnContinuo } from '../support/continuo.ts'
import { processesWith } from '../support/processes.ts'

let data: Awaited<ReturnType<typeof dataDirectory>>
let cluster: string
beforeEach(async () => {
  data = await dataDirectory('cli')
  cluster = join(data.path, 'cluster')
})
afterEach(() => data.remove())

/** Runs a command that is to be refused: exit code 1, sentences and no stack trace, and nothing that goes on running. */
async function refused(...args: string[]): Promise<string> {
  const { code, output } = await spawnContinuo(args, { cwd: data.path }).ended
  expect({ code, output }).toMatchObject({ code: 1 })
  expect(output).toMatch(/^error: /m)
  expect(output).not.toMatch(/^\s+at .*:\d+/m)
  expect(output).not.toContain('Error:')
  expect(processesWith(data.path)).toEqual([])
  return output
}

const up = (...args: string[]): Promise<string> => refused('up', '--data-dir', cluster, '--log-level', 'warn', ...args)

async function taken(): Promise<{ readonly server: Server; readonly address: string }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, address: `127.0.0.1:${(server.address() as { port: number }).port}` }
}

/** Starts on the directory as if nothing had been, reads and stops. */
async function works(): Promise<void> {
  const process = await startProcess({ dataDir: cluster })
  using api = await openApi(process.kubeconfig)
  await api.ok('GET', '/api/v1/namespaces/default')
  expect(await process.interrupt()).toBe(0)
  expect(processesWith(data.path)).toEqual([])
}

describe('what is in use', () => {
  it('names the address that is taken, and starts on the same data once it is free', async () => {
    const { server, address } = await taken()
    const output = await up('--listen', address)
    expect(output).toContain(`cannot listen on ${address}`)
    expect(output).toContain('another process listens there')
    expect(existsSync(join(cluster, 'kubeconfig'))).toBe(false)
    server.close()
    await works()
  })

  it('names the process that has the data directory, which goes on undisturbed', async () => {
    const first = await startProcess({ dataDir: cluster })
    using api = await openApi(first.kubeconfig)
    const kubeconfig = await readFile(first.kubeconfig, 'utf8')
    const { code, output } = await spawnContinuo(['up', '--data-dir', cluster, '--listen', '127.0.0.1:0', '--log-level', 'warn']).ended
    expect(code).toBe(1)
    expect(output).toMatch(new RegExp(`^error: .*is in use by process ${first.pid}`, 'm'))
    expect(output).not.toMatch(/^\s+at /m)
    await api.ok('POST', '/api/v1/namespaces', { body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'still-here' } } })
    expect(await readFile(first.kubeconfig, 'utf8')).toBe(kubeconfig)
    expect(await first.interrupt()).toBe(0)
  })

  it('refuses data of a newer release and leaves it as it was', async () => {
    await works()
    const file = join(
      cluster,
      'store',
      (await readdir(join(cluster, 'store'))).find((name) => name.endsWith('.db') || name.endsWith('.sqlite')) ?? '',
    )
    const newer = new DatabaseSync(file)
    newer.exec('PRAGMA user_version = 99')
    newer.close()
    const before = await readFile(file)
    const output = await up('--listen', '127.0.0.1:0')
    expect(output).toContain('has format 99')
    expect(output).toContain('Install the release that wrote it')
    expect((await readFile(file)).equals(before)).toBe(true)
    const older = new DatabaseSync(file)
    older.exec('PRAGMA user_version = 1')
    older.close()
    await works()
  })
})

describe('arguments', () => {
  it.each([
    ['a listen address without a port', ['--listen', 'nonsense'], /"nonsense".*HOST:PORT/],
    ['a port that does not exist', ['--listen', '127.0.0.1:99999'], /127\.0\.0\.1:99999/],
    ['a config file that is not there', ['--config', 'none.yaml'], /none\.yaml: there is no such file/],
    ['an unknown option', ['--lissten', '127.0.0.1:0'], /unknown option '--lissten'/],
  ])('refuses %s', async (_, args, expected) => {
    expect(await up(...args)).toMatch(expected)
  })

  it('refuses a data directory that is a file', async () => {
    await writeFile(cluster, 'a file')
    expect(await up()).toContain('a file is in its place')
    expect(await readFile(cluster, 'utf8')).toBe('a file')
  })

  it('refuses a kubeconfig that cannot be written, and stops what it had started', async () => {
    await writeFile(join(data.path, 'file'), '')
    expect(await up('--listen', '127.0.0.1:0', '--kubeconfig', join(data.path, 'file', 'kubeconfig'))).toContain('cannot be written')
    await works()
  })

  it('refuses an unknown command', async () => {
    expect(await refused('upp')).toContain("unknown command 'upp'")
  })

  it('refuses manifests that are not there before anything starts', async () => {
    expect(await refused('start', 'nowhere', '--data-dir', cluster, '--listen', '127.0.0.1:0')).toContain('cannot read nowhere')
    expect(existsSync(cluster)).toBe(false)
  })

  it('names file, document and place of a malformed manifest', async () => {
    await writeFile(join(data.path, 'bad.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n---\napiVersion: v1\nkind: [\n')
    expect(await refused('start', 'bad.yaml', '--data-dir', cluster, '--listen', '127.0.0.1:0')).toMatch(
      /bad\.yaml, document 2: .* at line 7/,
    )
    expect(existsSync(cluster)).toBe(false)
  })
})

describe('a config file', () => {
  const five = `
version: 1
name: broken
roles: [control-plane, node]
plugins:
  store: { use: "@continuo/plugin-store-sqlite", with: { path: 7 } }
  kinds: { use: "@continuo/workload#workloadKinds" }
  api: { use: "@continuo/plugin-api-http", with: { listen: nowhere, bogus: 1 } }
  scheduler: { use: "@continuo/plugin-scheduler", with: { scores: { spread: many } } }
  agent: { use: "@continuo/plugin-node", with: { onStop: explode } }
`
  const places = [
    'plugins.store.with.path',
    'plugins.api.with.listen',
    'plugins.api.with',
    'plugins.scheduler.with.scores.spread',
    'plugins.agent.with.onStop',
  ]

  it.each(['check', 'up'])('with five faults has all five reported with their paths by %s, and nothing is made', async (command) => {
    await writeFile(join(data.path, 'continuo.yaml'), five)
    const output = await refused(command, '--data-dir', cluster)
    for (const place of places) expect(output).toContain(`  - ${place}: `)
    expect(output).toContain('bogus')
    expect(existsSync(cluster)).toBe(false)
  })

  it('with faults of other steps has those of every step reported that can be made', async () => {
    await writeFile(
      join(data.path, 'continuo.yaml'),
      'version: 1\nname: x\nunknown: 1\nroles: [nodes]\nplugins:\n  a: { use: "@continuo/no-such-plugin" }\n  b: { usee: x }\n  store: { use: "@continuo/plugin-store-sqlite", with: { path: 7 } }\n',
    )
    for (const command of ['check', 'up']) {
      const output = await refused(command, '--data-dir', cluster)
      for (const fault of [
        'unknown: unknown key',
        'roles[0]: unknown role "nodes"',
        'plugins.a.use: @continuo/no-such-plugin',
        'plugins.b.usee: unknown key',
      ])
        expect(output).toContain(fault)
    }
  })

  it('that is no YAML has its line named', async () => {
    await writeFile(join(data.path, 'continuo.yaml'), 'version: 1\nplugins: [\n')
    expect(await refused('check')).toMatch(/line 3, column 1/)
  })

  it('that extends itself has the circle named', async () => {
    await writeFile(join(data.path, 'continuo.yaml'), 'extends: ./other.yaml\nversion: 1\n')
    await writeFile(join(data.path, 'other.yaml'), 'extends: ./continuo.yaml\nversion: 1\n')
    expect(await refused('check')).toMatch(/continuo\.yaml.*other\.yaml.*continuo\.yaml/)
  })
})

describe('a boot that fails', () => {
  it('in the middle leaves no process, no lock and no port behind', async () => {
    await mkdir(cluster)
    // The runtime's state cannot be made where a file is in its place.
    const config = join(data.path, 'failing.yaml')
    const { server, address } = await taken()
    await writeFile(config, `extends: continuo/config/reference.yaml\nplugins:\n  api: { with: { listen: "${address}" } }\n`)
    expect(await up('--config', config)).toContain('cannot listen')
    server.close()
    expect(existsSync(join(cluster, 'store', 'store.pid'))).toBe(false)
    await works()
  })
})
