import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { manifestOf, packages, sources, workspace } from './workspace-files.ts'

/** Packages that the sources of a package import, or that its config files use or offer in a comment, by name. */
function used(name: string): ReadonlySet<string> {
  const config = join(workspace, 'packages', name, 'config')
  const texts = [
    ...sources([name]).map(({ text }) => [...text.matchAll(/\bfrom '([^'\s]+)'|\bimport\(?\s*'([^'\s]+)'/g)]),
    ...(existsSync(config) ? readdirSync(config) : []).map((file) => [
      ...readFileSync(join(config, file), 'utf8').matchAll(/use: "([^"#]+)/g),
    ]),
  ]
  return new Set(
    texts
      .flat()
      .map(([, first, second]) => first ?? second ?? '')
      .filter((specifier) => !/^(\.|node:)/.test(specifier))
      .map((specifier) =>
        specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/'),
      ),
  )
}

describe.each(packages)('package.json of %s', (name) => {
  const manifest = manifestOf(name)

  it('says what the package is, to whom and under which licence', () => {
    expect(manifest.description?.length ?? 0).toBeGreaterThan(20)
    expect(manifest.keywords?.length ?? 0).toBeGreaterThanOrEqual(2)
    expect(manifest.license).toBe('Apache-2.0')
    expect(manifest.engines?.node).toBe('>=24')
    expect(manifest.files).toEqual(expect.arrayContaining(['dist', 'src']))
  })

  it('depends on what it imports and on nothing else', () => {
    const declared = new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }))
    const found = used(name)
    expect([...found].filter((dependency) => !declared.has(dependency) && dependency !== manifest.name).sort(), 'undeclared').toEqual([])
    expect([...declared].filter((dependency) => !found.has(dependency)).sort(), 'unused').toEqual([])
  })

  it('takes core as a peer if it is a plugin or a library', () => {
    if (name === 'core' || name === 'continuo' || name === 'create-continuo') return
    expect(manifest.dependencies ?? {}).not.toHaveProperty('@continuo/core')
  })
})
