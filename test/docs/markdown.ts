import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packages, workspace } from './workspace-files.ts'

/** A fenced block of a page. */
export interface Snippet {
  /** From the workspace. */
  readonly page: string
  /** Of the opening fence, from 1. */
  readonly line: number
  readonly language: string
  readonly text: string
  /**
   * What HTML comments right above the fence say, invisible to readers:
   * `<!-- file: quota.ts -->` the name under which other snippets of the page find it,
   * `<!-- given: CODE -->` code that stands above it where it is checked,
   * `<!-- beside: NAME CODE -->` a file that it names and readers write themselves,
   * `<!-- continues -->` it goes on where the snippet before it ended,
   * `<!-- runs -->` a test runs it,
   * `<!-- output of: COMMAND -->` what this command writes,
   * `<!-- faults: N -->` a config file with so many,
   * `<!-- part of a cluster -->` a config file that shows some slots alone,
   * `<!-- not run: WHY -->` no test runs it.
   */
  readonly notes: Readonly<Record<string, string>>
}

/** Markdown pages that readers see: the root's, docs, packages, benchmarks. */
export const pages: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'bench/README.md',
  ...readdirSync(join(workspace, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`),
  ...packages
    .filter((name) => readdirSync(join(workspace, 'packages', name)).includes('README.md'))
    .map((name) => `packages/${name}/README.md`),
]

export const readPage = (page: string): string => readFileSync(join(workspace, page), 'utf8')

/** Every fenced block of a page, in order. */
export function snippets(page: string): readonly Snippet[] {
  const found: Snippet[] = []
  const lines = readPage(page).split('\n')
  let notes: Record<string, string> = {}
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string
    const note = /^<!-- ([a-z ]+?)(?:: ([\s\S]*))? -->$/.exec(line)
    if (note !== null) {
      const [, key = '', value = ''] = note
      notes[key] = key in notes ? `${notes[key]}\n${value}` : value
      continue
    }
    const fence = /^( *)```(\w*)\s*$/.exec(line)
    if (fence === null) {
      if (line.trim() !== '') notes = {}
      continue
    }
    const [, indent = '', language = ''] = fence
    const end = lines.findIndex((other, index) => index > at && other.startsWith(`${indent}\`\`\``))
    const text = lines.slice(at + 1, end).map((one) => (one.startsWith(indent) ? one.slice(indent.length) : one))
    found.push({ page, line: at + 1, language, text: `${text.join('\n')}\n`, notes })
    notes = {}
    at = end
  }
  return found
}

/** Rows of the table under the header that begins with `first`, cells without backticks. */
export function tableRows(page: string, first: string): readonly (readonly string[])[] {
  const lines = readPage(page).split('\n')
  const header = lines.findIndex((line) => line.startsWith(`| ${first} |`))
  if (header === -1) return []
  const end = lines.findIndex((line, at) => at > header && !line.startsWith('|'))
  return lines.slice(header + 2, end).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  )
}
