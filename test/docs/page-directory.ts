import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Snippet, snippets } from './markdown.ts'
import { workspace } from './workspace-files.ts'

/** A snippet and the file that it stands in. */
export interface PlacedSnippet {
  readonly snippet: Snippet
  readonly file: string
}

/** `docs-config` of `docs/config.md`. */
export const pageSlug = (page: string): string => page.replace(/\.md$/, '').replaceAll(/[^\w-]+/g, '-')

/** What a snippet is called where the page does not say. */
const nameOf = ({ line, language, notes }: Snippet): string => notes.file ?? `line-${line}.${language}`

/** The text that is checked: what is given, what came before if it goes on, and the snippet. */
function fullText(snippet: Snippet, before: string): string {
  const given = snippet.notes.given === undefined ? '' : `${snippet.notes.given}\n`
  const text = 'continues' in snippet.notes ? before + given + snippet.text : given + snippet.text
  return snippet.language === 'ts' && !/^(import|export) /m.test(text) ? `${text}export {}\n` : text
}

/** Writes the YAML and TypeScript snippets of a page into a directory, so that they find each other by name. */
export async function placeSnippets(page: string, directory: string): Promise<readonly PlacedSnippet[]> {
  await mkdir(directory, { recursive: true })
  const placed: PlacedSnippet[] = []
  let before = ''
  for (const snippet of snippets(page).filter(({ language }) => language === 'yaml' || language === 'ts')) {
    const file = join(directory, nameOf(snippet))
    const text = fullText(snippet, before)
    if (snippet.language === 'ts') before = text
    await writeFile(file, text)
    for (const beside of snippet.notes.beside?.split('\n') ?? []) {
      const [name = '', ...code] = beside.split(' ')
      await writeFile(join(directory, name), `${code.join(' ')}\n`)
    }
    placed.push({ snippet, file })
  }
  return placed
}

/** A directory from which every package of the workspace is found, as if all were installed; ignored by git. */
export async function snippetDirectory(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(workspace, 'packages', 'continuo', '.snippets-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/** Names a snippet in the output of a test. */
export const where = ({ page, line }: Snippet): string => `${page}:${line}`
