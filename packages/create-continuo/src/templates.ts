import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ContinuoError } from '@continuo/core'

/** Directory of the templates, the same from source and from the built package. */
export const templatesDirectory = fileURLToPath(new URL('../templates/', import.meta.url))

/** Names of the templates, sorted. */
export async function templateNames(): Promise<readonly string[]> {
  return (await readdir(templatesDirectory)).sort()
}

/** The names that a template writes with, made of the project's name. Throws `CREATE_NAME` when npm would not take it. */
export function wordsOf(name: string): { readonly name: string; readonly identifier: string; readonly title: string } {
  const bare = name.replace(/^@[^/]*\//, '')
  if (!/^(@[a-z0-9][a-z0-9._-]*\/)?[a-z][a-z0-9-]*$/.test(name) || name.length > 214) {
    throw new ContinuoError('CREATE_NAME', `${JSON.stringify(name)} is no name for a package`, {
      hint: 'use lower-case letters, digits and dashes, beginning with a letter: my-rule or @me/my-rule',
    })
  }
  const identifier = bare.replace(/-+([a-z0-9])?/g, (_, letter: string | undefined) => (letter ?? '').toUpperCase())
  return { name, identifier, title: identifier.charAt(0).toUpperCase() + identifier.slice(1) }
}
