import { describe, expect, it } from 'vitest'
import { brokenRuntimes, openSimulatedRuntime, runRuntimeCheck, runtimeChecks, runtimeSuite } from '../../src/index.ts'

runtimeSuite('simulated', openSimulatedRuntime)

describe('runtime suite: broken runtimes', () => {
  it.concurrent.each(brokenRuntimes.map((broken) => [broken.fault, broken] as const))(
    'notices a runtime that %s',
    async (_, { caughtBy, open }) => {
      const check = runtimeChecks.find(({ name }) => name === caughtBy)
      expect(check, caughtBy).toBeDefined()
      await expect(runRuntimeCheck(check!, open)).rejects.toThrow()
    },
  )
})
