import { afterAll, beforeAll, describe, it } from 'vitest'
import { type ClientCheck, type OpenedClient, runClientCheck } from './client-check.ts'
import { deletionChecks } from './deletion-checks.ts'
import { patchChecks } from './patch-checks.ts'
import { readChecks } from './read-checks.ts'
import { watchChecks } from './watch-checks.ts'
import { writeChecks } from './write-checks.ts'

/** Every duty of an object client, each by name: what {@link objectClientSuite} runs, and what broken clients are held against. */
export const clientChecks: readonly ClientCheck[] = [...writeChecks, ...readChecks, ...patchChecks, ...deletionChecks, ...watchChecks]

/**
 * Declares the conformance tests of `object-client/v1` for one implementation.
 * @param open Opens a client of an API that serves `gaugeResource`; called once. Each check works in a namespace of its own.
 * @example objectClientSuite('local', async () => ({ client, compact: () => store.compact(…), dispose: () => host.stop() }))
 */
export function objectClientSuite(name: string, open: () => Promise<OpenedClient>): void {
  describe(`object client suite: ${name}`, () => {
    let opened: OpenedClient
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(() => opened?.dispose())
    for (const [index, check] of clientChecks.entries()) it(check.name, () => runClientCheck(check, opened, `suite-${index}`))
  })
}
