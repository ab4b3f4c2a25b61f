import { mkdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { ContinuoError } from '@continuo/core'
import { createTwoFilesPatch } from 'diff'
import { create as createStore } from 'mem-fs'
import { create as createEditor, type MemFsEditorFile } from 'mem-fs-editor'
import { templateNames, templatesDirectory, wordsOf } from './templates.ts'

export interface ScaffoldOptions {
  readonly template: string
  /** Where the project is written; made when it does not exist. */
  readonly directory: string
  /** Name of the package. */
  readonly name: string
  /** Versions of the packages that the project depends on, as an npm range. */
  readonly version: string
  /** Overwrites files that differ. */
  readonly force?: boolean
}

/** What a run did, or would have done: paths relative to the directory. */
export interface ScaffoldResult {
  readonly written: readonly string[]
  readonly unchanged: readonly string[]
  /** Files that exist and differ, with the patch that would have been applied. Nothing at all was written when there are any. */
  readonly conflicts: readonly { readonly path: string; readonly patch: string }[]
}

/**
 * Renders a template in memory, compares it with what is there, and writes all of it or nothing: a file that somebody has edited
 * is never overwritten without `force`. Running twice changes nothing the second time.
 * Throws `CREATE_TEMPLATE` for a template that does not exist and `CREATE_NAME` for a name that npm would refuse.
 */
export async function scaffold(options: ScaffoldOptions): Promise<ScaffoldResult> {
  const names = await templateNames()
  if (!names.includes(options.template)) {
    throw new ContinuoError('CREATE_TEMPLATE', `there is no template ${JSON.stringify(options.template)}`, {
      hint: `templates are ${names.join(', ')}`,
    })
  }
  const store = createStore<MemFsEditorFile>()
  const editor = createEditor(store)
  const words = { ...wordsOf(options.name), version: options.version }
  await editor.copyTplAsync(join(templatesDirectory, options.template, '**'), options.directory, words, {}, { globOptions: { dot: true } })
  // npm leaves .gitignore out of packages, so templates carry it under another name.
  const ignore = join(options.directory, '_gitignore')
  if (editor.exists(ignore)) editor.move(ignore, join(options.directory, '.gitignore'))

  const rendered = Object.entries(editor.dump()).filter(([, file]) => file.state === 'modified')
  const compared = await Promise.all(
    rendered.map(async ([path, file]) => compare(options.directory, join(process.cwd(), path), String(file.contents))),
  )
  const conflicts = compared.filter((file) => file.state === 'differs').map(({ path, patch }) => ({ path, patch }))
  const pathsOf = (...states: string[]): string[] =>
    compared
      .filter((file) => states.includes(file.state))
      .map((file) => file.path)
      .sort()
  if (conflicts.length > 0 && options.force !== true) return { written: [], unchanged: pathsOf('same'), conflicts }
  await mkdir(options.directory, { recursive: true })
  await editor.commit()
  return { written: pathsOf('new', 'differs'), unchanged: pathsOf('same'), conflicts: [] }
}

async function compare(directory: string, file: string, wanted: string) {
  const path = relative(directory, file)
  const current = await readFile(file, 'utf8').catch(() => undefined)
  const state = current === undefined ? 'new' : current === wanted ? 'same' : 'differs'
  return { path, state, patch: state === 'differs' ? createTwoFilesPatch(path, path, current ?? '', wanted, 'yours', 'template') : '' }
}
