import { deepEqual, ok } from 'node:assert/strict'
import type { CommitResult, Store, StoreCondition, StoreEntry, StoreWrite } from '@continuo/core'
import { history, putOf, type StoreCheck, shown } from './store-check.ts'

type Operation =
  | {
      readonly type: 'commit'
      readonly conditions: readonly StoreCondition[]
      readonly writes: readonly StoreWrite[]
      readonly result: CommitResult
    }
  | { readonly type: 'get'; readonly key: string; readonly entry: StoreEntry | undefined; readonly revision: number }
  | { readonly type: 'list'; readonly entries: readonly StoreEntry[]; readonly revision: number }
  | { readonly type: 'head'; readonly revision: number }

/** An operation with its place in time: ticks of one counter, taken before the call and after the answer. */
interface Recorded {
  readonly operation: Operation
  readonly began: number
  readonly ended: number
}

const revisionOf = (operation: Operation): number => (operation.type === 'commit' ? operation.result.revision : operation.revision)

/** A small generator, so that a failing history can be run again: mulberry32. */
function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

async function act(store: Store, random: (below: number) => number, known: Map<string, number>, label: string): Promise<Operation> {
  const key = `/k${random(4)}`
  const choice = random(10)
  if (choice === 0) return { type: 'head', revision: await store.head() }
  if (choice === 1) return { type: 'list', ...(await store.list('/k')) }
  if (choice <= 3) {
    const { entry, revision } = await store.get(key)
    known.set(key, entry?.modRevision ?? 0)
    return { type: 'get', key, entry, revision }
  }
  const conditions = choice <= 8 ? [{ key, modRevision: known.get(key) ?? 0 }] : []
  const writes: StoreWrite[] = [choice === 4 ? { type: 'delete', key } : putOf(key, label)]
  if (choice === 5) writes.push(putOf(`/k${4 + random(2)}`, label))
  const result = await store.commit({ conditions, writes })
  if (result.committed) known.set(key, choice === 4 ? 0 : result.revision)
  else for (const { key, current } of result.failed) known.set(key, current?.modRevision ?? 0)
  return { type: 'commit', conditions, writes, result }
}

async function record(store: Store, seed: number, clients: number, length: number): Promise<readonly Recorded[]> {
  let tick = 0
  const recorded: Recorded[] = []
  const run = async (client: number): Promise<void> => {
    const random = seeded(seed * 100 + client)
    const known = new Map<string, number>()
    for (let i = 0; i < length; i++) {
      const began = tick++
      const operation = await act(store, random, known, `${client}-${i}`)
      recorded.push({ operation, began, ended: tick++ })
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, client) => run(client)))
  return recorded
}

type State = ReadonlyMap<string, string>

/** The states that the store itself tells of, by revision. */
async function statesOf(store: Store, before: number, head: number): Promise<(revision: number) => State> {
  const states: { readonly revision: number; readonly state: State }[] = [{ revision: before, state: new Map() }]
  for (const { revision, events } of await history(store, '/k', before, head)) {
    const state = new Map(states.at(-1)?.state)
    for (const { type, key, value, createRevision } of events) {
      if (type === 'delete') state.delete(key)
      else state.set(key, shown({ key, value, createRevision, modRevision: revision }))
    }
    states.push({ revision, state })
  }
  return (revision) => states.findLast((candidate) => candidate.revision <= revision)?.state ?? new Map()
}

const modRevisionIn = (state: State, key: string): number => Number(state.get(key)?.split('/').at(-1) ?? 0)

function verifyOperation(operation: Operation, stateAt: (revision: number) => State): void {
  if (operation.type === 'head') return
  if (operation.type === 'get') {
    deepEqual(shown(operation.entry), stateAt(operation.revision).get(operation.key) ?? 'absent')
  } else if (operation.type === 'list') {
    deepEqual(operation.entries.map(shown), [...stateAt(operation.revision).values()].sort())
  } else verifyCommit(operation, stateAt)
}

function verifyCommit({ conditions, writes, result }: Operation & { type: 'commit' }, stateAt: (revision: number) => State): void {
  const { revision } = result
  const state = stateAt(revision)
  const holdIn = (candidate: State) => conditions.every(({ key, modRevision }) => modRevisionIn(candidate, key) === modRevision)
  if (!result.committed) {
    for (const { key, current } of result.failed) deepEqual(shown(current), state.get(key) ?? 'absent')
    ok(!holdIn(state), `refused at ${revision} although every condition held`)
    return
  }
  const perhapsWithoutEffect = writes.every(({ type }) => type === 'delete')
  const held = holdIn(stateAt(revision - 1)) || (perhapsWithoutEffect && holdIn(state))
  ok(held, `committed at ${revision} although a condition did not hold: ${JSON.stringify(conditions)}`)
  for (const { type, key } of writes) {
    const expected = type === 'delete' ? 0 : revision
    ok(modRevisionIn(state, key) === expected, `${key} is not in the state of revision ${revision} as it was committed`)
  }
}

/** What ended before another began must not show a later revision, and no two commits share one. */
function verifyRealTime(recorded: readonly Recorded[]): void {
  const byEnd = [...recorded].sort((a, b) => a.ended - b.ended)
  const byBegin = [...recorded].sort((a, b) => a.began - b.began)
  let newest = 0
  let next = 0
  for (const { operation, began } of byBegin) {
    for (; (byEnd[next]?.ended ?? Number.POSITIVE_INFINITY) < began; next++)
      newest = Math.max(newest, revisionOf((byEnd[next] as Recorded).operation))
    ok(revisionOf(operation) >= newest, `a ${operation.type} shows revision ${revisionOf(operation)} after ${newest} had been shown`)
  }
  const written = new Set<number>()
  for (const { operation } of recorded) {
    if (operation.type !== 'commit' || !operation.result.committed || operation.writes.some(({ type }) => type === 'delete')) continue
    ok(!written.has(operation.result.revision), `revision ${operation.result.revision} was given twice`)
    written.add(operation.result.revision)
  }
}

export const linearizabilityChecks: readonly StoreCheck[] = [
  {
    name: 'is linearizable under random concurrent histories',
    async run(store) {
      for (let seed = 1; seed <= 4; seed++) {
        const { entries } = await store.list('/k')
        for (const { key } of entries) await store.commit({ conditions: [], writes: [{ type: 'delete', key }] })
        const before = await store.head()
        const recorded = await record(store, seed, 6, 60)
        const stateAt = await statesOf(store, before, await store.head())
        for (const { operation } of recorded) verifyOperation(operation, stateAt)
        verifyRealTime(recorded)
      }
    },
  },
]
