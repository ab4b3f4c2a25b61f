import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { scaffold, templateNames } from '../src/index.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'create-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const run = (more: Partial<Parameters<typeof scaffold>[0]> = {}) =>
  scaffold({ template: 'scheduling-rule', directory: join(directory, 'my-rule'), name: 'my-rule', version: '^0.1.0', ...more })
const text = (path: string) => readFile(join(directory, 'my-rule', path), 'utf8')

describe('scaffold', () => {
  it('writes every template with its names filled in', async () => {
    for (const template of await templateNames()) {
      const target = join(directory, template)
      const { written } = await run({ template, directory: target, name: '@me/my-rule' })
      expect(written).toEqual(expect.arrayContaining(['.gitignore', 'continuo.yaml', 'package.json']))
      for (const path of written) {
        const content = await readFile(join(target, path), 'utf8')
        expect(content, path).not.toContain('<%')
        expect(path).not.toMatch(/\.ejs$|_gitignore/)
      }
      expect(JSON.parse(await readFile(join(target, 'package.json'), 'utf8')).name).toBe('@me/my-rule')
    }
  })

  it('changes nothing the second time', async () => {
    const first = await run()
    const second = await run()
    expect(second).toEqual({ written: [], unchanged: first.written, conflicts: [] })
  })

  it('keeps a hand edit, writes nothing else, and shows the patch', async () => {
    await run()
    await writeFile(join(directory, 'my-rule', 'src', 'index.ts'), 'export const mine = 1\n')
    await rm(join(directory, 'my-rule', 'continuo.yaml'))
    const { conflicts, written } = await run()
    expect(written).toEqual([])
    expect(conflicts).toMatchObject([{ path: 'src/index.ts', patch: expect.stringContaining('-export const mine = 1') }])
    expect(await text('src/index.ts')).toBe('export const mine = 1\n')
    await expect(text('continuo.yaml')).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('overwrites with force', async () => {
    await run()
    await writeFile(join(directory, 'my-rule', 'src', 'index.ts'), 'x')
    expect((await run({ force: true })).written).toEqual(['src/index.ts'])
    expect(await text('src/index.ts')).toContain('definePlugin')
  })

  it('names an unknown template and what there is', async () => {
    await expect(run({ template: 'nope' })).rejects.toMatchObject({
      code: 'CREATE_TEMPLATE',
      hint: 'templates are cluster, controller, scheduling-rule',
    })
  })

  it.each(['My-Rule', '../up', '', 'a b', '-x'])('refuses the name %j', async (name) => {
    await expect(run({ name })).rejects.toMatchObject({ code: 'CREATE_NAME' })
  })
})
