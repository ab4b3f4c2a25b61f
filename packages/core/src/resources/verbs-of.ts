import type { ResourceDefinition, Verb } from './resource.ts'

/** What may be asked of a resource; undefined: everything. One that is never stored offers what it says, and creation when it says nothing. */
export const verbsOf = ({ virtual, verbs }: ResourceDefinition): readonly Verb[] | undefined =>
  verbs ?? (virtual === true ? ['create'] : undefined)
