import { compare, parse, type SemVer } from 'semver'
import { CelEvaluationError } from '../cel-error.ts'
import { OpaqueValue } from '../values/value.ts'
import { fn, method, type Overload, walksFirst } from './overload.ts'

class SemverValue extends OpaqueValue {
  readonly typeName = 'kubernetes.Semver'
  readonly version: SemVer

  constructor(version: SemVer) {
    super()
    this.version = version
  }

  override equals(other: OpaqueValue): boolean {
    return other instanceof SemverValue && compare(this.version, other.version) === 0
  }
}

/** Semantic Versioning 2.0 to the letter; when normalized, `v1.2`, `1` and `01.2.3` read too. */
function read(text: string, normalize = false): SemVer | null {
  if (!normalize) return /^\d/.test(text) && text.trim() === text ? parse(text, { loose: false }) : null
  const [, numbers = '', rest = ''] = /^v?(\d+(?:\.\d+){0,2})(.*)$/s.exec(text) ?? []
  const parts = numbers.split('.').map((part) => part.replace(/^0+(?=\d)/, ''))
  while (parts.length < 3) parts.push('0')
  return numbers === '' || text.trim() !== text ? null : parse(`${parts.join('.')}${rest}`)
}

function readOrFail(text: string, normalize = false): SemverValue {
  const version = read(text, normalize)
  if (version === null) throw new CelEvaluationError(`No Major.Minor.Patch elements found in ${JSON.stringify(text.slice(0, 100))}`)
  return new SemverValue(version)
}

const order = (a: SemverValue, b: SemverValue): number => compare(a.version, b.version)

export const semvers: readonly Overload[] = [
  fn('semver(string): semver', readOrFail, walksFirst),
  fn('semver(string, bool): semver', readOrFail, walksFirst),
  fn('isSemver(string): bool', (text: string) => read(text) !== null, walksFirst),
  fn('isSemver(string, bool): bool', (text: string, normalize: boolean) => read(text, normalize) !== null, walksFirst),
  method('semver', 'major(): int', ({ version }: SemverValue) => BigInt(version.major)),
  method('semver', 'minor(): int', ({ version }: SemverValue) => BigInt(version.minor)),
  method('semver', 'patch(): int', ({ version }: SemverValue) => BigInt(version.patch)),
  method('semver', 'isLessThan(semver): bool', (a: SemverValue, b: SemverValue) => order(a, b) < 0),
  method('semver', 'isGreaterThan(semver): bool', (a: SemverValue, b: SemverValue) => order(a, b) > 0),
  method('semver', 'compareTo(semver): int', (a: SemverValue, b: SemverValue) => BigInt(order(a, b))),
]
