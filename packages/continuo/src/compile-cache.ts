import { isAbsolute, join } from 'node:path'

/**
 * Where V8's compiled code is kept between starts: the user's own cache directory, for whoever can write there decides what runs.
 * `NODE_COMPILE_CACHE` moves it, as for every Node program. Undefined for a user without a home. Pure.
 */
export function compileCacheDirectory(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { NODE_COMPILE_CACHE: chosen, XDG_CACHE_HOME: caches = '', HOME: home = '' } = env
  if (chosen !== undefined && chosen !== '') return chosen
  const base = isAbsolute(caches) ? caches : isAbsolute(home) ? join(home, '.cache') : undefined
  return base === undefined ? undefined : join(base, 'continuo', 'compiled')
}
