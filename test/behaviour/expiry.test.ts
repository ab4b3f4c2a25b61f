import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { behavingApi, collection, configMap, type Stored } from './behaving-api.ts'

const behaving = behavingApi('test/support/short-memory.yaml')
const path = `${collection}?labelSelector=set%3Dexpiry`

describe('what is too old to be told', () => {
  it('is 410: for an exact read and for the next chunk, which says how to go on', async () => {
    const { ask, refused } = behaving()
    const make = (index: number): Promise<Stored> =>
      ask('POST', collection, configMap(`expiry-${index}`, {}, { labels: { set: 'expiry' } }))
    for (let index = 0; index < 4; index++) await make(index)
    const first = await ask('GET', `${path}&limit=2`)
    const { resourceVersion } = first.metadata
    await ask('DELETE', `${collection}/expiry-2`)

    // Compaction comes by itself, after a second of memory.
    const exact = `${path}&resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`
    let number = 4
    const expired = await eventually(async () => {
      await make(number++)
      return refused('GET', exact)
    }, 30_000)
    expect(expired).toMatchObject({ code: 410, reason: 'Expired' })

    const next = await refused('GET', `${path}&limit=2&continue=${encodeURIComponent(first.metadata.continue)}`)
    expect(next).toMatchObject({ code: 410, reason: 'Expired', metadata: { continue: expect.any(String) } })
    // The token of the refusal goes on behind what was read, at the version of now.
    const rest = await ask('GET', `${path}&continue=${encodeURIComponent(next.metadata.continue)}`)
    expect(rest.items.map((item: Stored) => item.metadata.name)).toEqual(
      ['expiry-3', ...Array.from({ length: number - 4 }, (_, i) => `expiry-${i + 4}`)].sort(),
    )
    expect(Number(rest.metadata.resourceVersion)).toBeGreaterThan(Number(resourceVersion))
  })
})
