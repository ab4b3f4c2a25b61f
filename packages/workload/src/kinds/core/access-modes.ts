import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import { checkOneOf } from '../../rules/values.ts'

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

/** Checks the modes of a persistent volume: at least one, and the one for a single pod alone. */
export function checkVolumeModes(modes: DeepReadonly<string[]> | undefined, path: string, errors: FieldError[]): void {
  if ((modes?.length ?? 0) === 0) errors.push(fieldError.required(path))
  for (const mode of modes ?? []) checkOneOf(mode, accessModes, path, errors)
  if (modes?.includes('ReadWriteOncePod') && modes.some((mode) => mode !== 'ReadWriteOncePod' && accessModes.includes(mode)))
    errors.push(fieldError.forbidden(path, 'may not use ReadWriteOncePod with other access modes'))
}
