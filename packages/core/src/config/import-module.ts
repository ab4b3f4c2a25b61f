import { createRequire, findPackageJSON } from 'node:module'
import { isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Imports a module by a specifier that stands in a file of the directory `base`. */
export type ImportModule = (specifier: string, base: string) => Promise<unknown>

const isPath = (specifier: string): boolean => specifier.startsWith('.') || isAbsolute(specifier)

/** The file that a specifier names, seen from `base`: a path, or a package found as Node finds it from there. */
export function resolveFrom(specifier: string, base: string): string {
  if (isPath(specifier)) return resolve(base, specifier)
  return createRequire(join(base, 'continuo.config.js')).resolve(specifier)
}

/** Whether a package can be found from `base` at all: tells "not installed" from "broken". */
export const isInstalled = (specifier: string, base: string): boolean => {
  try {
    return findPackageJSON(specifier, pathToFileURL(join(base, 'continuo.config.js'))) !== undefined
  } catch {
    return false
  }
}

/** Node's own import, relative to the config file. */
export const importModule: ImportModule = (specifier, base) => import(pathToFileURL(resolveFrom(specifier, base)).href)
