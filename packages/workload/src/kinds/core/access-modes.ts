const abbreviations: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
}

/** How volumes may be mounted. */
export const accessModes: readonly string[] = Object.keys(abbreviations)

/** Access modes as columns show them: `RWO,RWX`. */
export const formatAccessModes = (modes: readonly string[] | undefined): string =>
  accessModes
    .filter((mode) => modes?.includes(mode))
    .map((mode) => abbreviations[mode])
    .join(',')
