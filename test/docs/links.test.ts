import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { pages, readPage } from './markdown.ts'
import { packages, workspace } from './workspace-files.ts'

/** The anchor that a heading gets. */
const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-')

const anchors = (page: string): readonly string[] => [...readPage(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slug(heading))

it.each(pages)('%s links to what exists', (page) => {
  const broken = [...readPage(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = '', anchor] = target.split('#')
      const at = path === '' ? page : join(dirname(page), path)
      if (!existsSync(join(workspace, at))) return true
      return anchor !== undefined && at.endsWith('.md') && !anchors(at).includes(anchor)
    })
  expect(broken).toEqual([])
})

it('the README of the workspace names every package', () => {
  const named = [...readPage('README.md').matchAll(/\[`[^`]+`\]\(packages\/([\w-]+)\)/g)].map(([, name]) => name)
  expect(named.sort()).toEqual([...packages])
})
