import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { CheckError, capability, checkCluster, definePlugin, formatProblem, loadCluster, slotsFor } from '../../src/index.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'continuo-config-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const write = async (files: Record<string, string>): Promise<void> => {
  for (const [name, text] of Object.entries(files)) {
    const file = join(directory, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }
}

/** A schema by hand: `path` is a text, `size` a number, nothing else. */
const schema = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value: unknown) => {
      const issues = Object.entries(value as Record<string, unknown>).flatMap(([key, item]) => {
        const want = { path: 'string', size: 'number', nested: 'object', list: 'object', token: 'string' }[key]
        if (want === undefined) return [{ message: 'unknown key', path: [key] }]
        return typeof item === want ? [] : [{ message: `must be a ${want}`, path: [key] }]
      })
      return issues.length > 0 ? { issues } : { value }
    },
  },
} as const

const Thing = capability<object>('thing/v1')
const store = definePlugin({
  name: 'store-a',
  api: '^1',
  roles: ['control-plane', 'node'],
  config: schema as never,
  provides: [Thing],
  setup: (ctx) => ctx.provide(Thing, {}),
})
const other = definePlugin({ name: 'store-b', api: '^1', roles: ['control-plane', 'node'], config: schema as never, provides: [Thing] })
const user = definePlugin({ name: 'user', api: '^1', requires: { thing: Thing } })
const modules: Record<string, unknown> = {
  pkg: { default: store, other, user, notPlugin: { a: 1 } },
  old: { default: definePlugin({ name: 'old', api: '^9' }) },
}

const options = {
  env: { TOKEN: 's3cret' },
  importModule: async (specifier: string) => {
    if (modules[specifier] === undefined) throw Object.assign(new Error(`Cannot find module '${specifier}'`), { code: 'MODULE_NOT_FOUND' })
    return modules[specifier]
  },
}
const load = (name: string) => loadCluster(join(directory, name), options)
const problemsOf = async (name: string) => (await checkCluster(join(directory, name), options)).map(formatProblem)

it('merges maps, replaces arrays, drops `with` when `use` changes and keeps roles', async () => {
  await write({
    'base.yaml': `
version: 1
name: base
roles: [control-plane, node]
plugins:
  a: { use: pkg, with: { path: x, nested: { one: 1, two: 2 }, list: [1, 2] }, roles: [node] }
  b: { use: pkg, with: { path: y }, roles: [control-plane] }
  c: { use: "pkg#user" }
`,
    'sub/over.yaml': `
extends: ../base.yaml
name: over
plugins:
  a: { with: { nested: { two: 3 }, list: [9] } }
  b: { use: "pkg#other", with: { size: 1 } }
  c: null
`,
  })
  const config = await load('sub/over.yaml')
  expect(config.name).toBe('over')
  expect(config.roles).toEqual(['control-plane', 'node'])
  expect(config.slots.map(({ slot, plugin, config, roles }) => [slot, plugin.name, config, roles])).toEqual([
    ['a', 'store-a', { path: 'x', nested: { one: 1, two: 3 }, list: [9] }, ['node']],
    ['b', 'store-b', { size: 1 }, ['control-plane']],
  ])
  expect(config.removed.map(({ slot }) => slot)).toEqual(['c'])
  expect(slotsFor(config, 'node').map(({ slot }) => slot)).toEqual(['a'])
})

it('reads secrets from the environment and from files beside the file that names them', async () => {
  await write({
    'base/base.yaml': 'plugins: { a: { use: pkg, with: { token: { fromFile: token.txt } } } }',
    'base/token.txt': 'from-file\n',
    'c.yaml': 'extends: ./base/base.yaml\nplugins: { b: { use: pkg, with: { token: { fromEnv: TOKEN } } } }',
  })
  expect((await load('c.yaml')).slots.map(({ config }) => config)).toEqual([{ token: 'from-file' }, { token: 's3cret' }])
})

it('replaces one kind of secret by another as a whole', async () => {
  await write({
    'base.yaml': 'plugins: { a: { use: pkg, with: { token: { fromFile: absent.txt } } } }',
    'c.yaml': 'extends: ./base.yaml\nplugins: { a: { with: { token: { fromEnv: TOKEN } } } }',
  })
  expect((await load('c.yaml')).slots[0]?.config).toEqual({ token: 's3cret' })
})

it('reports five faults at once, each with its path', async () => {
  await write({
    'c.yaml': `
version: 1
colour: red
roles: [control-plane, moon]
plugins:
  a: { use: pkg, with: { path: 7 } }
  b: { use: absent-package }
  c: { use: "pkg#nothing" }
  d: { use: old, wiht: {} }
  e: { use: "pkg#user", with: { token: { fromEnv: UNSET } } }
`,
  })
  const problems = await problemsOf('c.yaml')
  expect(problems).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^colour: unknown key/),
      expect.stringMatching(/^roles\[1\]: unknown role "moon"/),
      expect.stringMatching(/^plugins\.a\.with\.path: must be a string/),
      expect.stringMatching(/^plugins\.b\.use: absent-package cannot be found.*npm i absent-package/),
      expect.stringMatching(/^plugins\.c\.use: pkg exports no plugin "nothing" \(its plugins are pkg#default, pkg#other, pkg#user\)/),
      expect.stringMatching(/^plugins\.d\.wiht: unknown key/),
      expect.stringMatching(/^plugins\.d: plugin old works with core API \^9/),
      expect.stringMatching(/^plugins\.e\.with\.token: environment variable UNSET is not set/),
    ]),
  )
  await expect(load('c.yaml')).rejects.toBeInstanceOf(CheckError)
})

it('names the dependents of a required slot that was removed', async () => {
  await write({
    'base.yaml': 'roles: [control-plane]\nplugins: { store: { use: pkg }, user: { use: "pkg#user" } }',
    'c.yaml': 'extends: ./base.yaml\nplugins: { store: null }',
  })
  expect(await problemsOf('c.yaml')).toEqual([
    'plugins.user: user needs thing/v1, which nothing provides (slot store, which was removed, provided it: fill it again or remove user too)',
  ])
})

it('refuses roles that widen', async () => {
  await write({ 'c.yaml': 'roles: [control-plane]\nplugins: { s: { use: pkg }, user: { use: "pkg#user", roles: [node] } }' })
  expect(await problemsOf('c.yaml')).toEqual([
    'plugins.user.roles: plugin user does not run in node (roles may narrow control-plane, never widen)',
  ])
})

it('names the files of a circle of extends', async () => {
  await write({ 'a.yaml': 'extends: ./b.yaml', 'b.yaml': 'extends: ./a.yaml' })
  expect((await problemsOf('a.yaml'))[0]).toMatch(/circle: .*a\.yaml → .*b\.yaml → .*a\.yaml/)
})

it('finds a base that is not installed beside the file where the program has it', async () => {
  await write({
    'elsewhere/base.yaml': 'roles: [control-plane]\nplugins: { store: { use: pkg } }',
    'c.yaml': 'extends: "@some/distribution/config/base.yaml"',
  })
  expect(await problemsOf('c.yaml')).toEqual([
    `extends: package @some/distribution/config/base.yaml is not installed beside ${join(directory, 'c.yaml')} (npm i @some/distribution)`,
  ])
  const config = await loadCluster(join(directory, 'c.yaml'), {
    ...options,
    fallbackResolve: (specifier) => join(directory, 'elsewhere', specifier.split('/').at(-1) as string),
  })
  expect(config.slots.map((slot) => slot.slot)).toEqual(['store'])
})

it('says where YAML is malformed, that a file is absent, and that a key stands twice', async () => {
  await write({ 'bad.yaml': 'plugins: { a: [', 'twice.yaml': 'name: a\nname: b\n' })
  expect((await problemsOf('bad.yaml'))[0]).toMatch(/bad\.yaml: .*line 1/)
  expect((await problemsOf('twice.yaml'))[0]).toMatch(/Map keys must be unique.*line 2/)
  expect((await problemsOf('none.yaml'))[0]).toMatch(/none\.yaml: there is no such file/)
})

it('loads a typed TypeScript file with plugins as values', async () => {
  await write({
    'continuo.config.ts': `
      const plugin: { name: string; api: string } = { name: 'inline', api: '^1' }
      export default { name: 'typed', plugins: { a: { plugin, config: undefined }, b: plugin } }
    `,
  })
  const config = await loadCluster(join(directory, 'continuo.config.ts'))
  expect([config.name, ...config.slots.map(({ slot, plugin }) => `${slot}=${plugin.name}`)]).toEqual(['typed', 'a=inline', 'b=inline'])
})

it('finds packages from the directory of the file that names them', async () => {
  await write({
    'node_modules/found-beside/package.json': '{ "name": "found-beside", "type": "module", "exports": { ".": "./index.js" } }',
    'node_modules/found-beside/index.js':
      "export default { name: 'found', api: '^1' }\nexport const second = { name: 'second', api: '^1' }",
    'c.yaml': 'plugins: { a: { use: found-beside }, b: { use: "found-beside#second" }, c: { use: ./local.js } }',
    'local.js': "export default { name: 'local', api: '^1' }",
    'package.json': '{ "type": "module" }',
  })
  expect((await loadCluster(join(directory, 'c.yaml'))).slots.map(({ plugin }) => plugin.name)).toEqual(['found', 'second', 'local'])
})
