import { execFile } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryDirectory } from './support/cluster-process.ts'

const run = promisify(execFile)
const top = fileURLToPath(new URL('..', import.meta.url))
const env = { ...process.env, npm_config_update_notifier: 'false', npm_config_fund: 'false', npm_config_audit: 'false' }

interface Manifest {
  readonly name: string
  readonly private?: boolean
}

let project: Awaited<ReturnType<typeof temporaryDirectory>>
const packed = new Map<string, string>()

/** Packs every package as it would be published, and installs the tarballs into an empty project outside of the workspace. */
beforeAll(async () => {
  project = await temporaryDirectory('packages')
  const directories = [
    ...(await readdir(join(top, 'packages'))).map((name) => join(top, 'packages', name)),
    join(top, 'examples', 'plugin'),
  ]
  for (const directory of directories) {
    const { name } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as Manifest
    const { stdout } = await run('npx', ['--yes', 'pnpm@12.21.0', 'pack', '--json', '--pack-destination', project.path], {
      cwd: directory,
      env,
    })
    const answer = JSON.parse(stdout.slice(stdout.search(/[[{]/))) as { filename: string } | { filename: string }[]
    packed.set(name, (Array.isArray(answer) ? answer[0] : answer)?.filename as string)
  }
  const dependencies = Object.fromEntries([...packed].map(([name, file]) => [name, `file:${file}`]))
  await writeFile(
    join(project.path, 'package.json'),
    JSON.stringify({
      name: 'outside',
      private: true,
      type: 'module',
      dependencies: { ...dependencies, vitest: '5.1.0' },
      overrides: Object.fromEntries([...packed.keys()].map((name) => [name, `$${name}`])),
    }),
  )
  await run('npm', ['install', '--no-package-lock'], { cwd: project.path, env, maxBuffer: 1 << 26 })
}, 300_000)

afterAll(() => project?.remove())

const node = (...args: string[]) => run(process.execPath, args, { cwd: project.path, env, maxBuffer: 1 << 24 })

describe('packed packages outside of the workspace', () => {
  it('import, each by its entry', async () => {
    const names = [...packed.keys()]
    expect(names.length).toBeGreaterThanOrEqual(17)
    for (const name of names) {
      const { stdout } = await node(
        '--input-type=module',
        '-e',
        `const module = await import(${JSON.stringify(name)}); console.log(Object.keys(module).length)`,
      )
      expect(Number(stdout), name).toBeGreaterThan(0)
    }
  })

  it('hold no tests and nothing of the workspace', async () => {
    for (const [name, file] of packed) {
      const { stdout } = await run('tar', ['-tzf', file])
      expect(
        stdout.split('\n').filter((path) => !path.startsWith('package/templates/') && /\/test\/|tsconfig|\.tsbuildinfo/.test(path)),
        name,
      ).toEqual([])
      const manifest = (await run('tar', ['-xzOf', file, 'package/package.json'])).stdout
      expect(manifest, name).not.toContain('workspace:')
    }
  })

  it('are without fault to publint', async () => {
    for (const [name, file] of packed) {
      const tarball = await readFile(file)
      const { messages } = await publint({ pack: { tarball: new Uint8Array(tarball).buffer }, strict: true })
      expect(
        messages.map(({ code, path }) => `${code} at ${path.join('.')}`),
        name,
      ).toEqual([])
    }
  })

  it('have types for everybody who imports modules', async () => {
    const attw = join(top, 'node_modules', '.bin', 'attw')
    const files = [...packed.values()]
    // Two at a time: each takes a second of one core.
    await Promise.all(
      [0, 1].map(async (lane) => {
        for (const file of files.filter((_, at) => at % 2 === lane))
          await run(attw, [file, '--profile', 'esm-only', '--no-color', '--format', 'ascii'], { env, maxBuffer: 1 << 24 })
      }),
    )
  }, 300_000)

  it('run a control plane in a process of their own', async () => {
    const script = `
      import { createHost, memoryStore, ObjectClientCap, Namespace } from '@continuo/core'
      const host = createHost({ name: 'x', role: 'control-plane', plugins: [{ slot: 'store', plugin: memoryStore }] })
      await host.start()
      console.log((await host.use(ObjectClientCap).for(Namespace).list()).items.map((ns) => ns.metadata.name).sort().join(' '))
      await host.stop()`
    expect((await node('--input-type=module', '-e', script)).stdout.trim()).toBe('default kube-node-lease kube-public kube-system')
  })

  it('offer the command line', async () => {
    const bin = join(project.path, 'node_modules', '.bin', 'continuo')
    expect((await node(bin, 'version')).stdout).toMatch(/^continuo \d+\.\d+\.\d+/)
    expect((await node(bin, 'check')).stdout).toContain('no fault')
  })

  it('take a plugin of somebody else by a config file', async () => {
    await writeFile(join(project.path, 'continuo.yaml'), await readFile(join(top, 'examples', 'plugin', 'continuo.yaml'), 'utf8'))
    const bin = join(project.path, 'node_modules', '.bin', 'continuo')
    expect((await node(bin, 'check', '--config', 'continuo.yaml')).stdout).toContain('no fault')
    const { stdout } = await node(bin, 'plan', '--config', 'continuo.yaml')
    expect(stdout).toContain('quiet-hours')
  })

  it('start a test cluster with that plugin', async () => {
    const script = `
      import { startTestCluster } from 'continuo/testing'
      import { Node } from '@continuo/workload'
      import quietHours from '@continuo-examples/plugin-quiet-hours'
      await using cluster = await startTestCluster({ nodes: 2, plugins: { 'quiet-hours': quietHours } })
      console.log((await cluster.client.for(Node).list()).items.length)`
    expect((await node('--input-type=module', '-e', script)).stdout.trim()).toBe('2')
  })

  it.each(['scheduling-rule', 'controller'])('start a project by the scaffolder whose own test passes: %s', async (template) => {
    const directory = join(project.path, `made-${template}`)
    await node(join(project.path, 'node_modules', '.bin', 'create-continuo'), directory, '--template', template)
    const { stdout } = await run(
      process.execPath,
      [join(project.path, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--root', directory],
      {
        cwd: directory,
        env: { ...env, NO_COLOR: '1' },
      },
    )
    expect(stdout).toMatch(/Tests\s+1 passed/)
  })
})
