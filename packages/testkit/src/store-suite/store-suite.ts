import { describe, it } from 'vitest'
import { commitChecks } from './commit-checks.ts'
import { linearizabilityChecks } from './linearizability-checks.ts'
import { readChecks } from './read-checks.ts'
import { type OpenedStore, runStoreCheck, type StoreCheck } from './store-check.ts'
import { watchChecks } from './watch-checks.ts'

/** Every duty of a store, each by name: what {@link storeSuite} runs, and what broken stores are held against. */
export const storeChecks: readonly StoreCheck[] = [...commitChecks, ...readChecks, ...watchChecks, ...linearizabilityChecks]

/**
 * Declares the conformance tests of `store/v1` for one implementation.
 * @param open Opens a store without any key; called once for each test.
 * @example storeSuite('memory', async () => ({ store: createMemoryStore(), dispose: async () => {} }))
 */
export function storeSuite(name: string, open: () => Promise<OpenedStore>): void {
  describe(`store suite: ${name}`, () => {
    for (const check of storeChecks) it(check.name, () => runStoreCheck(check, open))
  })
}
