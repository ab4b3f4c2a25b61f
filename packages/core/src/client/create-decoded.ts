import { AdmissionRun } from '../admission/admission-run.ts'
import { formatTime } from '../clock/clock.ts'
import { mutableCopy } from '../objects/mutable-copy.ts'
import type { UnstructuredObject } from '../objects/object.ts'
import { collectionPrefix, objectKey } from '../resources/storage-key.ts'
import { applyDefaults } from '../schema/apply-defaults.ts'
import { alreadyExists, conflict } from './api-errors.ts'
import { commitWrite, sealObject } from './commit-write.ts'
import { committed } from './committed.ts'
import { explainFault } from './explain-fault.ts'
import { ownFields } from './field-ownership.ts'
import { hasGeneration, hasStatusSubresource } from './object-parts.ts'
import type { WriteResult } from './object-service.ts'
import { PlainView } from './plain-view.ts'
import { StoredView } from './stored-view.ts'
import type { Target } from './target.ts'
import { validateObject } from './validate-object.ts'
import type { WriteSession } from './write-session.ts'

/** Characters that `generateName` leaves for the name itself. */
const maxGeneratedPrefix = 63 - 5

/** Creates a body that was decoded: also what an apply, or an update where that is allowed, does when the object is absent. */
export async function createDecoded(
  session: WriteSession,
  target: Target,
  object: UnstructuredObject,
  applied = false,
): Promise<WriteResult> {
  const { parts } = session
  const { generateName } = object.metadata
  const generated = !object.metadata.name && Boolean(generateName)
  const attempt = async (inTurn: boolean): Promise<Attempt> => {
    const next = mutableCopy(object)
    if (generated) next.metadata.name = `${String(generateName).slice(0, maxGeneratedPrefix)}${parts.random.suffix(5)}`
    const { name } = next.metadata
    const outcome = await attemptCreate(session, target, next, { applied, generated, inTurn })
    // A name that admission gave is as good as one that the client gave: another try would meet the same object.
    if (outcome.type === 'exists' && outcome.name !== name) throw alreadyExists(target.served.gvr, outcome.name)
    return outcome
  }
  const collection = collectionPrefix(target.served.definition, object.metadata.namespace ?? '')
  const awaited = session.dryRun ? undefined : parts.turns.awaitedIn(collection)
  const first: Attempt =
    awaited === undefined
      ? await attempt(false)
      : { type: 'overtaken', revision: parts.cache.revision, key: awaited, name: object.metadata.name ?? '' }
  if (first.type === 'done') return first.result
  if (first.type === 'exists' && !generated) throw alreadyExists(target.served.gvr, first.name)
  if (first.type === 'overtaken') parts.turns.noteWait(collection, first.key)
  // Others that were overtaken by the same key take turns, so that each gets through.
  return parts.turns.run(first.key, async () => {
    let last: Exclude<Attempt, { type: 'done' }> = first
    for (let count = 1; count < parts.limits.maxAttempts; count++) {
      if (last.type === 'exists' && !generated) break
      await parts.cache.reached(last.revision)
      const outcome = await attempt(true)
      if (outcome.type === 'done') return outcome.result
      last = outcome
    }
    if (last.type === 'exists') throw alreadyExists(target.served.gvr, last.name)
    throw conflict(target.served.gvr, last.name, 'what it depends on keeps changing; please try again')
  })
}

type Attempt =
  | { readonly type: 'done'; readonly result: WriteResult }
  | { readonly type: 'exists' | 'overtaken'; readonly revision: number; readonly key: string; readonly name: string }

async function attemptCreate(
  session: WriteSession,
  target: Target,
  next: UnstructuredObject,
  { applied, generated, inTurn }: { readonly applied: boolean; readonly generated: boolean; readonly inTurn: boolean },
): Promise<Attempt> {
  const { parts, caller, dryRun } = session
  const { served } = target
  const { strategy } = served.definition
  const run = new AdmissionRun(parts, {
    operation: 'CREATE',
    target: target.namespace === '' && next.metadata.namespace ? { ...target, namespace: next.metadata.namespace } : target,
    name: next.metadata.name ?? '',
    ...(generated ? { isNameGenerated: true } : {}),
    gvk: served.gvk,
    object: next,
    options: { ...session.options },
    dryRun,
    caller,
    warn: session.warn,
  })
  fillSystemFields(session, target, next)
  try {
    await run.mutate()
    if (run.mutable) applyDefaults(served.schema, next)
    if (hasStatusSubresource(served.version)) delete next.status
    strategy?.prepareForCreate?.(next, caller.user)
  } catch (error) {
    throw explainFault(error, served.gvk, served.schema, next)
  }
  if (hasGeneration(served)) next.metadata.generation = 1
  validateObject(served, next, undefined, undefined)
  for (const text of strategy?.warnings?.(next, undefined) ?? []) session.warn(text)
  await run.validate()
  if (!applied) await ownFields(session, target, undefined, next)
  const key = objectKey(served.definition, next.metadata.namespace ?? '', next.metadata.name)
  const value = await sealObject(parts, served, next, key)
  if (dryRun) {
    if (parts.cache.get(key) !== undefined) return { type: 'exists', revision: parts.cache.revision, key, name: next.metadata.name }
    return { type: 'done', result: { view: new PlainView(next), created: true, deleted: false } }
  }
  const outcome = await commitWrite(parts, caller, run, { key, expected: 0, value, inTurn })
  if (outcome.type !== 'committed') {
    return {
      type: outcome.type === 'stale' ? 'exists' : 'overtaken',
      revision: outcome.revision,
      key: outcome.key,
      name: next.metadata.name,
    }
  }
  await committed(parts, run, outcome.revision)
  const view = new StoredView(parts.views, target.form, { key, value, modRevision: outcome.revision })
  next.metadata.resourceVersion = view.resourceVersion
  view.adopt(next)
  return { type: 'done', result: { view, created: true, deleted: false } }
}

/** What the system alone decides about a new object. */
function fillSystemFields({ parts }: WriteSession, target: Target, next: UnstructuredObject): void {
  const { metadata } = next
  delete metadata.selfLink
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  delete metadata.generation
  if (!target.served.definition.namespaced && metadata.namespace === '') delete metadata.namespace
  metadata.uid = parts.random.uuid()
  metadata.creationTimestamp = formatTime(parts.clock.now())
}
