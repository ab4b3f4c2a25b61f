import { describe, expect, it } from 'vitest'
import { compileCacheDirectory } from '../src/compile-cache.ts'

describe('compileCacheDirectory', () => {
  it('is in the cache directory of the user', () => {
    expect(compileCacheDirectory({ HOME: '/home/ada' })).toBe('/home/ada/.cache/continuo/compiled')
    expect(compileCacheDirectory({ HOME: '/home/ada', XDG_CACHE_HOME: '/caches' })).toBe('/caches/continuo/compiled')
  })

  it('goes where NODE_COMPILE_CACHE says', () => {
    expect(compileCacheDirectory({ HOME: '/home/ada', NODE_COMPILE_CACHE: '/else' })).toBe('/else')
  })

  it('does without for a user without a home, and never uses a path relative to the working directory', () => {
    expect(compileCacheDirectory({})).toBeUndefined()
    expect(compileCacheDirectory({ HOME: '', XDG_CACHE_HOME: 'caches' })).toBeUndefined()
  })
})
