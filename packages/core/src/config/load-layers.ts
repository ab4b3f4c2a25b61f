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

/**
 * A file and everything that it extends, the base first. A circle of `extends` is a problem that names its path.
 * `fallbackResolve` is asked for bases that are not installed beside the file that names them.
 */
export async function loadLayers(
  path: string,
  importModule: ImportModule,
  problems: Problem[],
  fallbackResolve?: (specifier: string) => string,
): Promise<readonly ClusterLayer[]> {
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
    file = baseOf(layer, base, problems, fallbackResolve)
  }
  return layers
}

function baseOf(
  layer: ClusterLayer,
  base: string,
  problems: Problem[],
  fallbackResolve: ((specifier: string) => string) | undefined,
): string | undefined {
  const specifier = layer.extends
  if (specifier === undefined) return undefined
  for (const find of [() => resolveFrom(specifier, base), () => fallbackResolve?.(specifier)]) {
    try {
      const found = find()
      if (found !== undefined) return found
    } catch {
      // Not there: the next place, or the problem below.
    }
  }
  problems.push({
    code: 'CONFIG_UNREADABLE',
    path: 'extends',
    message: `package ${specifier} is not installed beside ${layer.file}`,
    hint: `npm i ${packageOf(specifier)}`,
    file: layer.file,
  })
  return undefined
}

/** `@scope/name` or `name` of a specifier with a path. */
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
