import { ApiError } from '../errors/api-error.ts'
import type { UnstructuredObject } from '../objects/object.ts'
import type { StoredView } from './stored-view.ts'

/** Objects that one call of a resource's `convert` gets at most. */
const conversionBatch = 500

/** Converts, in batches, the views whose stored version is not the one asked for. Returns without waiting when there are none. */
export function prepareViews(views: readonly StoredView[], signal?: AbortSignal): Promise<void> | undefined {
  const first = views[0]
  if (first === undefined || first.form.served.definition.convert === undefined) return undefined
  const foreign = views.filter((view) => view.needsConversion)
  return foreign.length === 0 ? undefined : convertViews(foreign, signal)
}

async function convertViews(views: readonly StoredView[], signal: AbortSignal | undefined): Promise<void> {
  for (let from = 0; from < views.length; from += conversionBatch) {
    const batch = views.slice(from, from + conversionBatch)
    const { apiVersion, served } = (batch[0] as StoredView).form
    const stored = batch.map((view) => view.stored())
    const converted = await convertObjects(served.definition, stored, apiVersion, signal)
    for (const [index, object] of converted.entries()) batch[index]?.prepare(object)
  }
}

/** Runs a resource's conversion and checks what it gave back. Without one only `apiVersion` changes. */
export async function convertObjects(
  definition: StoredView['form']['served']['definition'],
  objects: readonly UnstructuredObject[],
  apiVersion: string,
  signal?: AbortSignal,
): Promise<UnstructuredObject[]> {
  if (definition.convert === undefined) return objects.map((object) => ({ ...object, apiVersion }))
  const converted = await definition.convert(objects, apiVersion, signal)
  if (converted.length !== objects.length || converted.some((object) => object.apiVersion !== apiVersion)) {
    throw new ApiError(
      'InternalError',
      `conversion of ${definition.plural} to ${apiVersion} gave ${converted.length} objects for ${objects.length}, or another version`,
    )
  }
  return converted
}
