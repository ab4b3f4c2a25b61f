import { describe, it } from 'vitest'
import { lifecycleChecks } from './lifecycle-checks.ts'
import { type OpenedRuntime, type RuntimeCheck, runRuntimeCheck } from './runtime-check.ts'
import { stopChecks } from './stop-checks.ts'
import { streamChecks } from './stream-checks.ts'

/** Every duty of a runtime, each by name: what {@link runtimeSuite} runs, and what broken runtimes are held against. */
export const runtimeChecks: readonly RuntimeCheck[] = [...lifecycleChecks, ...stopChecks, ...streamChecks]

/**
 * Declares the conformance tests of `runtime/v1` for one implementation.
 * @param open Opens a runtime without sandboxes; called once for each test.
 * @example runtimeSuite('docker', async () => ({ runtime, programs, commands, missingImage: 'nowhere:1', dispose: () => removeAll() }))
 */
export function runtimeSuite(name: string, open: () => Promise<OpenedRuntime>): void {
  describe(`runtime suite: ${name}`, () => {
    for (const check of runtimeChecks) it(check.name, () => runRuntimeCheck(check, open))
  })
}
