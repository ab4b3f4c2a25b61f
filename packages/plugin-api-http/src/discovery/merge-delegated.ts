import type { GroupVersionKind } from '@continuo/core'
import type { DelegatedResource, DelegatedVersion } from '@continuo/workload'
import { compareVersions, type DescribedGroup, type DescribedResource, type DescribedVersion } from './describe-resources.ts'

const kindOf = ({ kind, group, version }: DelegatedResource, of: DelegatedVersion): GroupVersionKind => ({
  group: group ?? of.group,
  version: version ?? of.version,
  kind,
})

function describe(delegated: DelegatedVersion): DescribedVersion {
  const resources = delegated.resources
    .filter(({ name }) => !name.includes('/'))
    .map(
      (resource): DescribedResource => ({
        name: resource.name,
        singular: resource.singularName ?? resource.kind.toLowerCase(),
        kind: kindOf(resource, delegated),
        namespaced: resource.namespaced,
        verbs: resource.verbs,
        shortNames: resource.shortNames ?? [],
        categories: resource.categories ?? [],
        ...(resource.storageVersionHash === undefined ? {} : { storageVersionHash: resource.storageVersionHash }),
        subresources: delegated.resources
          .filter(({ name }) => name.startsWith(`${resource.name}/`))
          .map((sub) => ({ name: sub.name.slice(resource.name.length + 1), kind: kindOf(sub, delegated), verbs: sub.verbs })),
      }),
    )
  return { version: delegated.version, resources, freshness: delegated.freshness }
}

/** Adds what other servers serve. A group version of theirs takes the place of one of this server. Pure. */
export function mergeDelegated(groups: readonly DescribedGroup[], delegated: readonly DelegatedVersion[]): readonly DescribedGroup[] {
  if (delegated.length === 0) return groups
  const merged = new Map(groups.map(({ name, versions }) => [name, new Map(versions.map((one) => [one.version, one]))]))
  for (const one of delegated) {
    const versions = merged.get(one.group) ?? new Map<string, DescribedVersion>()
    merged.set(one.group, versions)
    versions.set(one.version, describe(one))
  }
  return [...merged]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, versions]) => ({ name, versions: [...versions.values()].sort((a, b) => compareVersions(a.version, b.version)) }))
}
