import { ContinuoError } from '../errors/continuo-error.ts'
import type { ResourceDefinition } from './resource.ts'

const namePattern = /^[a-z][a-z0-9-]*$/

/** See the export in `resource.ts`. */
export function defineResource(definition: ResourceDefinition): ResourceDefinition {
  const named = `${definition.plural}.${definition.group}`
  if (!namePattern.test(definition.plural)) {
    throw new ContinuoError('RESOURCE_INVALID', `resource ${named}: plural ${JSON.stringify(definition.plural)} is no lower-case name`)
  }
  if (!definition.versions.some((version) => version.name === definition.storageVersion)) {
    throw new ContinuoError(
      'RESOURCE_INVALID',
      `resource ${named}: storage version ${JSON.stringify(definition.storageVersion)} is not among its versions`,
      {
        hint: `name one of ${definition.versions.map((version) => version.name).join(', ')}`,
      },
    )
  }
  return definition
}
