import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { ContinuoError, type UnstructuredObject } from '@continuo/core'
import { parseAllDocuments } from 'yaml'

const extensions = new Set(['.yaml', '.yml', '.json'])

/** Objects of a file, or of all manifests of a directory in the order of their names. Throws `MANIFEST_INVALID` naming file and document. */
export async function readManifests(path: string): Promise<readonly UnstructuredObject[]> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new ContinuoError('MANIFEST_NOT_FOUND', `cannot read ${path}`, { hint: 'give a manifest or a directory of manifests', cause })
  })
  const files = found.isDirectory()
    ? (await readdir(path))
        .filter((name) => extensions.has(extname(name)))
        .sort()
        .map((name) => join(path, name))
    : [path]
  if (files.length === 0) throw new ContinuoError('MANIFEST_NOT_FOUND', `${path} holds no .yaml, .yml or .json file`)
  return (await Promise.all(files.map(async (file) => documents(file, await readFile(file, 'utf8'))))).flat()
}

function documents(file: string, text: string): readonly UnstructuredObject[] {
  return parseAllDocuments(text, { version: '1.1' }).flatMap((document, index) => {
    const fault = document.errors[0]
    if (fault !== undefined) throw new ContinuoError('MANIFEST_INVALID', `${file}, document ${index + 1}: ${fault.message}`)
    const value = document.toJS({ maxAliasCount: 100 }) as UnstructuredObject | null
    if (value === null) return []
    if (typeof value.apiVersion !== 'string' || typeof value.kind !== 'string' || typeof value.metadata?.name !== 'string') {
      throw new ContinuoError('MANIFEST_INVALID', `${file}, document ${index + 1}: an object needs apiVersion, kind and metadata.name`)
    }
    return [value]
  })
}
