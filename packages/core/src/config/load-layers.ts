import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Problem } from '../host/problem.ts'
import { type ClusterLayer, readLayer } from './cluster-source.ts'
import { type ImportModule, resolveFrom } from './import-module.ts'

const isCode = (file: string): boolean => /\.[cm]?[jt]s$/.test(file)

/** The default export of a module, or the module. */
const defaultOf = (module: unknown): unknown =>
  typeof module === 'object' && module !== null && 'default' in module ? module.default : module

async function readSource(file: string, importModule: ImportModule, problems: Problem[]): Promise<unknown> {
  const fault = (message: string, hint?: string): undefined => {
    problems.push({ code: 'CONFIG_UNREADABLE', path: '', message: `${file}: ${message}`, hint, file })
    return undefined
  }
  try {
    if (isCode(file)) return defaultOf(await importModule(file, dirname(file)))
    // Loaded when needed: a host that is made by code needs no YAML.
    const { parseDocument } = await import('yaml')
    const document = parseDocument(await readFile(file, 'utf8'), { prettyErrors: true, uniqueKeys: true })
    for (const error of document.errors) fault(error.message.split('\n')[0] ?? error.message)
    return document.errors.length > 0 ? undefined : (document.toJS({ maxAliasCount: 100 }) ?? {})
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return fault('there is no such file')
    return fault(error instanceof Error ? error.message : String(error))
  }
}

/** A file and everything that it extends, the base first. A circle of `extends` is a problem that names its path. */
export async function loadLayers(path: string, importModule: ImportModule, problems: Problem[]): Promise<readonly ClusterLayer[]> {
  const layers: ClusterLayer[] = []
  const seen: string[] = []
  for (let file: string | undefined = resolve(path); file !== undefined; ) {
    if (seen.includes(file)) {
      problems.push({
        code: 'CONFIG_CYCLE',
        path: 'extends',
        message: `files extend each other in a circle: ${[...seen.slice(seen.indexOf(file)), file].join(' → ')}`,
        file: seen.at(-1),
      })
      break
    }
    seen.push(file)
    const source = await readSource(file, importModule, problems)
    if (source === undefined) break
    const base = dirname(file)
    const layer: ClusterLayer = readLayer(source, file, base, problems)
    layers.unshift(layer)
    file = baseOf(layer, base, problems)
  }
  return layers
}

function baseOf(layer: ClusterLayer, base: string, problems: Problem[]): string | undefined {
  if (layer.extends === undefined) return undefined
  try {
    return resolveFrom(layer.extends, base)
  } catch {
    problems.push({
      code: 'CONFIG_UNREADABLE',
      path: 'extends',
      message: `package ${layer.extends} is not installed beside ${layer.file}`,
      hint: `npm i ${layer.extends}`,
      file: layer.file,
    })
    return undefined
  }
}
