import { describe, expect, test } from 'vitest'
import { brokenPodNetworks, openSimulatedPodNetwork, podNetworkChecks, podNetworkSuite, runPodNetworkCheck } from '../../src/index.ts'

podNetworkSuite('simulated', openSimulatedPodNetwork())

describe('the suite lets none of these pass:', () => {
  test.each(brokenPodNetworks)('a pod network that $fault', async ({ caughtBy, open }) => {
    const check = podNetworkChecks.find(({ name }) => name === caughtBy)
    if (check === undefined) expect.unreachable(`there is no check "${caughtBy}"`)
    await expect(runPodNetworkCheck(check, open)).rejects.toThrow()
  })
})
