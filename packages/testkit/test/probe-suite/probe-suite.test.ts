import { describe, expect, it } from 'vitest'
import { brokenProbers, openReferenceProber, probeChecks, probeSuite, runProbeCheck } from '../../src/index.ts'

probeSuite('reference', openReferenceProber())

describe('probe suite: broken probers', () => {
  it.concurrent.each(brokenProbers.map((broken) => [broken.fault, broken] as const))(
    'notices a prober that %s',
    async (_, { caughtBy, open }) => {
      const check = probeChecks.find(({ name }) => name === caughtBy)
      expect(check, caughtBy).toBeDefined()
      await expect(runProbeCheck(check!, open)).rejects.toThrow()
    },
  )
})
