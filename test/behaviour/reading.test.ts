import { describe, expect, it } from 'vitest'
import { behavingApi, collection, configMap, type Stored } from './behaving-api.ts'

const behaving = behavingApi()
const names = (list: Stored): string[] => list.items.map((item: Stored) => item.metadata.name)

describe('chunks of a list', () => {
  it('are of one resourceVersion whatever is written between them, count what remains, and end', async () => {
    const { ask } = behaving()
    for (let index = 0; index < 10; index++) await ask('POST', collection, configMap(`chunk-${index}`, {}, { labels: { set: 'chunk' } }))
    const path = `${collection}?labelSelector=set%3Dchunk&limit=4`
    const first = await ask('GET', path)
    expect(first.metadata.remainingItemCount).toBeUndefined() // as ever with a selector
    await ask('DELETE', `${collection}/chunk-5`)
    await ask('POST', collection, configMap('chunk-55', {}, { labels: { set: 'chunk' } }))
    await ask('PATCH', `${collection}/chunk-6`, { data: { changed: 'yes' } }, 'application/merge-patch+json')
    const second = await ask('GET', `${path}&continue=${encodeURIComponent(first.metadata.continue)}`)
    const third = await ask('GET', `${path}&continue=${encodeURIComponent(second.metadata.continue)}`)
    expect([first, second, third].flatMap(names)).toEqual(Array.from({ length: 10 }, (_, index) => `chunk-${index}`))
    expect(second.items[2].data).toBeUndefined()
    expect(new Set([first, second, third].map((list) => list.metadata.resourceVersion)).size).toBe(1)
    expect(third.metadata.continue ?? '').toBe('')
  })

  it('tell how many follow without a selector', async () => {
    const { ask } = behaving()
    const all = await ask('GET', collection)
    const { metadata } = await ask('GET', `${collection}?limit=1`)
    expect(metadata.remainingItemCount).toBe(all.items.length - 1)
  })

  it.each([
    ['limit=1&continue=nonsense', 'BadRequest'],
    ['resourceVersionMatch=Exact', 'Invalid'],
    ['resourceVersion=0&resourceVersionMatch=Exact', 'Invalid'],
    ['resourceVersion=1&resourceVersionMatch=Sometimes', 'Invalid'],
    ['resourceVersion=abc', 'BadRequest'],
    ['fieldSelector=data.a%3Db', 'BadRequest'],
    ['labelSelector=a%20b', 'BadRequest'],
  ])('are refused with %s', async (query, reason) => {
    expect(await behaving().refused('GET', `${collection}?${query}`)).toMatchObject({ kind: 'Status', status: 'Failure', reason })
  })

  it('a version that is still to come is waited for, and then refused with a time to try again', async () => {
    const refused = await behaving().refused('GET', `${collection}?resourceVersion=9999999999&resourceVersionMatch=NotOlderThan`)
    expect(refused).toMatchObject({
      code: 504,
      reason: 'Timeout',
      details: { retryAfterSeconds: 1, causes: [{ reason: 'ResourceVersionTooLarge' }] },
    })
  })
})

describe('selectors', () => {
  it.each([
    ['a=1', ['one']],
    ['a!=1', ['none', 'two']],
    ['a', ['one', 'two']],
    ['!a', ['none']],
    ['a in (1,2),b', ['two']],
    ['a notin (1)', ['none', 'two']],
  ])('labels %s', async (selector, expected) => {
    const { api, ask } = behaving()
    for (const [name, labels] of [
      ['one', { a: '1' }],
      ['two', { a: '2', b: '' }],
      ['none', {}],
    ] as const)
      await api.apply(collection, configMap(`sel-${name}`, {}, { labels: { ...labels, set: 'sel' } }))
    const list = await ask('GET', `${collection}?labelSelector=${encodeURIComponent(`set=sel,${selector}`)}`)
    expect(names(list)).toEqual(expected.map((name) => `sel-${name}`))
  })

  it('fields of every kind: name and namespace', async () => {
    const { ask } = behaving()
    expect(names(await ask('GET', `/api/v1/configmaps?fieldSelector=metadata.name%3Dsel-one,metadata.namespace%3Ddefault`))).toEqual([
      'sel-one',
    ])
    expect(names(await ask('GET', `/api/v1/namespaces?fieldSelector=metadata.name!%3Ddefault`))).not.toContain('default')
  })
})

describe('watches', () => {
  it('tell every watcher the same in the same order, and go on from any version of it', async () => {
    const { ask, events } = behaving()
    const { resourceVersion } = (await ask('GET', collection)).metadata
    for (let index = 0; index < 5; index++) {
      await ask('POST', collection, configMap(`order-${index}`, {}, { labels: { set: 'order' } }))
      await ask('PATCH', `${collection}/order-${index % 2}`, { data: { n: String(index) } }, 'application/merge-patch+json')
    }
    await ask('DELETE', `${collection}/order-4`)
    const path = (from: string): string => `${collection}?watch=1&labelSelector=set%3Dorder&resourceVersion=${from}`
    const told = (list: readonly Stored[]) =>
      list.map(({ type, object }) => `${type} ${object.metadata.name} ${object.metadata.resourceVersion}`)
    const whole = told(await events(path(resourceVersion), 11))
    expect(whole.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'ADDED order-0',
      'MODIFIED order-0',
      'ADDED order-1',
      'MODIFIED order-1',
      'ADDED order-2',
      'MODIFIED order-0',
      'ADDED order-3',
      'MODIFIED order-1',
      'ADDED order-4',
      'MODIFIED order-0',
      'DELETED order-4',
    ])
    const versions = whole.map((line) => Number(line.split(' ')[2]))
    expect(versions).toEqual([...versions].sort((a, b) => a - b))
    for (const [index, version] of versions.slice(0, -1).entries())
      expect(told(await events(path(String(version)), whole.length - index - 1))).toEqual(whole.slice(index + 1))
  })

  it('begin with what there is when no version, or 0, is named', async () => {
    const { events } = behaving()
    for (const version of ['', '&resourceVersion=0']) {
      const [first] = await events(`${collection}?watch=1&fieldSelector=metadata.name%3Dsel-one${version}`, 1)
      expect([first?.type, first?.object.metadata.name]).toEqual(['ADDED', 'sel-one'])
    }
  })
})

describe('tables', () => {
  it('are there for the list of every kind, with the name first and rows that can be dropped', async () => {
    const { api, ask } = behaving()
    const groups = [
      '/api/v1',
      ...(await ask('GET', '/apis')).groups.flatMap((group: Stored) => group.versions.map((one: Stored) => `/apis/${one.groupVersion}`)),
    ]
    let lists = 0
    for (const path of groups) {
      for (const { name, verbs } of (await ask('GET', path)).resources) {
        if (!verbs.includes('list')) continue
        const answer = await api.send('GET', `${path}/${name}`, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } })
        const table = answer.body as Stored
        expect([path, name, answer.status, table.kind]).toEqual([path, name, 200, 'Table'])
        expect([name, table.columnDefinitions[0].name]).toEqual([name, expect.stringMatching(/^(Name|Last Seen)$/)])
        for (const row of table.rows) expect([name, row.cells.length]).toEqual([name, table.columnDefinitions.length])
        lists++
      }
    }
    expect(lists).toBeGreaterThan(50)
  })

  it('are the one other form: what is no form is refused', async () => {
    const answer = await behaving().api.send('GET', collection, { headers: { accept: 'application/json;as=Chair;v=v1;g=meta.k8s.io' } })
    expect(answer.status).toBe(406)
  })
})
