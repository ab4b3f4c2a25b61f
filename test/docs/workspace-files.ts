import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const workspace = fileURLToPath(new URL('../..', import.meta.url))

/** Directory names of the packages. */
export const packages: readonly string[] = readdirSync(join(workspace, 'packages'))
  .filter((name) => existsSync(join(workspace, 'packages', name, 'package.json')))
  .sort()

export interface Manifest {
  readonly name: string
  readonly description?: string
  readonly keywords?: readonly string[]
  readonly license?: string
  readonly files?: readonly string[]
  readonly engines?: { readonly node?: string }
  readonly exports?: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** The package.json of the package in this directory. */
export const manifestOf = (name: string): Manifest =>
  JSON.parse(readFileSync(join(workspace, 'packages', name, 'package.json'), 'utf8')) as Manifest

export interface SourceFile {
  /** From the workspace, with forward slashes. */
  readonly path: string
  readonly package: string
  readonly text: string
}

/** TypeScript sources of the packages, without what is generated. */
export function sources(only: readonly string[] = packages): readonly SourceFile[] {
  return only.flatMap((name) => {
    const top = join(workspace, 'packages', name, 'src')
    return readdirSync(top, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.split('/').includes('generated'))
      .sort()
      .map((path) => ({ path: relative(workspace, join(top, path)), package: name, text: readFileSync(join(top, path), 'utf8') }))
  })
}

/** Every place where a pattern stands, as `path:line: what`. Comments count unless `code` blanks them. */
export function places(file: SourceFile, pattern: RegExp, text = file.text): readonly string[] {
  return [...text.matchAll(new RegExp(pattern, pattern.flags.includes('g') ? pattern.flags : `${pattern.flags}g`))].map(
    (match) => `${file.path}:${text.slice(0, match.index).split('\n').length}: ${match[0]}`,
  )
}

/** The text with comments blanked, so that offsets and lines stay. Strings that hold `//` are kept by asking for a space or a line start before it. */
export const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/[^\n]*/g, (comment) => comment.replace(/[^\n]/g, ' '))
