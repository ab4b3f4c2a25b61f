import { createHash } from 'node:crypto'
import { type GroupVersionKind, type ServedResource, type Verb, verbsOf } from '@continuo/core'

export const allVerbs: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

/** One resource of a group version as both forms of discovery tell it. */
export interface DescribedResource {
  readonly name: string
  readonly singular: string
  readonly kind: GroupVersionKind
  readonly namespaced: boolean
  readonly verbs: readonly string[]
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly storageVersionHash?: string
  readonly subresources: readonly { readonly name: string; readonly kind: GroupVersionKind; readonly verbs: readonly string[] }[]
}

export interface DescribedVersion {
  readonly version: string
  /** Default: `Current`. */
  readonly freshness?: 'Current' | 'Stale'
  readonly resources: readonly DescribedResource[]
}

export interface DescribedGroup {
  readonly name: string
  /** In order of preference. */
  readonly versions: readonly DescribedVersion[]
}

/** The identity of the stored form, as in Kubernetes: first 8 bytes of a SHA-256 of group, version and kind. */
const storageVersionHash = ({ definition }: ServedResource): string =>
  createHash('sha256')
    .update(`${definition.group}/${definition.storageVersion}/${definition.kind}`)
    .digest()
    .subarray(0, 8)
    .toString('base64')

function describe(served: ServedResource): DescribedResource {
  const { definition, version } = served
  const verbs = [...(verbsOf(definition) ?? allVerbs)].sort()
  return {
    name: definition.plural,
    singular: definition.singular ?? definition.kind.toLowerCase(),
    kind: served.gvk,
    namespaced: definition.namespaced,
    verbs,
    shortNames: definition.shortNames ?? [],
    categories: definition.categories ?? [],
    ...(definition.virtual === true ? {} : { storageVersionHash: storageVersionHash(served) }),
    subresources: [...(version.subresources ?? [])]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, kind, verbs: own }) => ({ name, kind, verbs: [...own].sort() })),
  }
}

const stability = (version: string): readonly [number, number, number] => {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
  if (match === null) return [-1, 0, 0]
  return [match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0, Number(match[1]), Number(match[3] ?? 0)]
}

/** Kubernetes' order of versions: stable before beta before alpha, newer before older, other names last and by the alphabet. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [stability(a), stability(b)]
  for (let i = 0; i < 3; i++) if (x[i] !== y[i]) return (y[i] as number) - (x[i] as number)
  return a < b ? -1 : a > b ? 1 : 0
}

/** Everything that is served, by group and version: the core group first, the others by name. Pure. */
export function describeGroups(served: readonly ServedResource[]): readonly DescribedGroup[] {
  const groups = new Map<string, Map<string, DescribedResource[]>>()
  for (const one of served) {
    const versions = groups.get(one.gvr.group) ?? new Map<string, DescribedResource[]>()
    groups.set(one.gvr.group, versions)
    const resources = versions.get(one.gvr.version) ?? []
    versions.set(one.gvr.version, resources)
    resources.push(describe(one))
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, versions]) => ({
      name,
      versions: [...versions]
        .sort(([a], [b]) => compareVersions(a, b))
        .map(([version, resources]) => ({ version, resources: resources.sort((a, b) => (a.name < b.name ? -1 : 1)) })),
    }))
}
