import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { configTable, replaceTables } from '../../scripts/config-table.ts'
import { pages, readPage } from './markdown.ts'
import { manifestOf, packages, workspace } from './workspace-files.ts'

const headings = ['Install', 'Config', 'Example', 'Capabilities and hooks', 'Limits']

describe.each(packages)('README of %s', (name) => {
  const page = `packages/${name}/README.md`
  const text = (): string => {
    expect(pages).toContain(page)
    return readPage(page)
  }

  it('has the title, one sentence and the headings that all have', () => {
    const [title = '', , sentence = ''] = text().split('\n')
    expect(title).toBe(`# ${manifestOf(name).name}`)
    expect(sentence).toMatch(/^[A-Z].*[.:]$/)
    const withoutCode = text().replaceAll(/^```[\s\S]*?^```/gm, '')
    expect([...withoutCode.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)).toEqual(headings)
  })

  it('shows the configuration that the schemas of its plugins have', async () => {
    const exported = (await import(/* @vite-ignore */ pathToFileURL(join(workspace, 'packages', name, 'src', 'index.ts')).href)) as object
    const plugins = new Map(Object.entries(exported).filter(([, value]) => isConfigured(value)))
    plugins.delete('default')
    const shown = [...text().matchAll(/^<!-- config: (\w+) -->$/gm)].map(([, plugin]) => plugin)
    expect(shown.sort()).toEqual([...plugins.keys()].sort())
    expect(text(), 'stale: npm run readme:config').toBe(replaceTables(text(), (plugin) => configTable(plugins.get(plugin), plugin)))
  })
})

/** A plugin whose configuration is a schema that can be read, not one by hand. */
const isConfigured = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'api' in value &&
  'config' in value &&
  typeof value.config === 'object' &&
  'def' in (value.config as object)
