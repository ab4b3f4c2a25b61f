import type { DeepReadonly, KubeObject } from '@continuo/core'

/** Of the classes that are marked as default the newest, and of those that are equally new the first by name. */
export function newestDefault<T extends DeepReadonly<KubeObject>>(classes: readonly T[], mark: string): T | undefined {
  const age = ({ metadata }: T): string => metadata.creationTimestamp ?? ''
  return classes
    .filter(({ metadata }) => metadata.annotations?.[mark] === 'true')
    .sort((a, b) => (age(a) === age(b) ? (a.metadata.name < b.metadata.name ? -1 : 1) : age(a) < age(b) ? 1 : -1))[0]
}
