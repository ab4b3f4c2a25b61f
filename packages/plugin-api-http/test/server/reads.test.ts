import { StoreCap } from '@continuo/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningApi, startApi } from '../running-api.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'

let api: RunningApi
beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const create = async (name: string, labels: Record<string, string> = {}, data: Record<string, string> = {}): Promise<string> =>
  (await api.call(configMaps, { method: 'POST', body: { metadata: { name, labels }, data } })).json.metadata.resourceVersion
const patch = async (name: string, body: object): Promise<string> =>
  (
    await api.call(`${configMaps}/${name}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: JSON.stringify(body),
    })
  ).json.metadata.resourceVersion
const remove = (name: string) => api.call(`${configMaps}/${name}`, { method: 'DELETE' })
const list = (query: string) => api.call(`${configMaps}?${query}`)
const namesOf = (answer: { json: { items: { metadata: { name: string } }[] } }) => answer.json.items.map(({ metadata }) => metadata.name)
const inSet = (set: string) => `labelSelector=set%3D${set}`

describe('lists', () => {
  it('show the state at exactly the version that is named, as long as it is kept', async () => {
    const first = await create('e1', { set: 'exact' }, { at: '1' })
    const second = await create('e2', { set: 'exact' })
    await patch('e1', { data: { at: '2' } })
    await remove('e2')
    const then = await list(`${inSet('exact')}&resourceVersion=${second}&resourceVersionMatch=Exact`)
    expect([then.json.metadata.resourceVersion, ...namesOf(then)]).toEqual([second, 'e1', 'e2'])
    expect(then.json.items[0].data).toEqual({ at: '1' })
    expect(namesOf(await list(`${inSet('exact')}&resourceVersion=${first}&resourceVersionMatch=Exact`))).toEqual(['e1'])
    // A limit without a match means exactly this version, too.
    expect(namesOf(await list(`${inSet('exact')}&resourceVersion=${second}&limit=5`))).toEqual(['e1', 'e2'])
    for (const query of [
      `resourceVersion=${second}`,
      `resourceVersion=${second}&resourceVersionMatch=NotOlderThan`,
      'resourceVersion=0',
      '',
    ])
      expect(namesOf(await list(`${inSet('exact')}&${query}`)), query).toEqual(['e1'])
  })

  it('have pages that agree whatever is written meanwhile', async () => {
    for (const name of ['p1', 'p2', 'p3', 'p4', 'p5']) await create(name, { set: 'pages' })
    const all = await list('limit=500')
    const total = all.json.items.length
    const seen: string[] = []
    const versions = new Set<string>()
    const remaining: (number | undefined)[] = []
    let token = ''
    do {
      const page = await list(`limit=2${token === '' ? '' : `&continue=${token}`}`)
      expect(page.status).toBe(200)
      seen.push(...namesOf(page))
      versions.add(page.json.metadata.resourceVersion)
      remaining.push(page.json.metadata.remainingItemCount)
      token = page.json.metadata.continue ?? ''
      await create(`new-${seen.length}`, { set: 'pages' })
      if (seen.length === 2) await remove('p4')
    } while (token !== '')
    expect(seen).toEqual(namesOf(all))
    expect(versions.size).toBe(1)
    expect(remaining).toEqual(remaining.map((_, index) => (total - 2 * (index + 1) > 0 ? total - 2 * (index + 1) : undefined)))
  })

  it('do not count the rest behind a selector', async () => {
    for (const name of ['s1', 's2']) await create(name, { set: 'selected' })
    const page = await list(`${inSet('selected')}&limit=1`)
    expect(page.json.metadata).toMatchObject({ continue: expect.any(String) })
    expect(page.json.metadata).not.toHaveProperty('remainingItemCount')
    const rest = await list(`${inSet('selected')}&limit=1&continue=${page.json.metadata.continue}`)
    expect([namesOf(page), namesOf(rest), rest.json.metadata.continue]).toEqual([['s1'], ['s2'], undefined])
  })

  it.each([
    ['resourceVersionMatch=Exact', 422, 'resourceVersionMatch is forbidden unless resourceVersion is provided'],
    ['resourceVersion=0&resourceVersionMatch=Exact', 422, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'],
    ['resourceVersion=1&resourceVersionMatch=Newest', 422, 'supported values: "Exact", "NotOlderThan"'],
    ['resourceVersion=abc', 400, 'Invalid value: "abc"'],
    ['limit=-1', 400, 'limit'],
    ['continue=x', 400, 'continue key is not valid'],
  ])('refuse %s', async (query, status, message) => {
    const answer = await list(query)
    expect([answer.status, answer.json.kind]).toEqual([status, 'Status'])
    expect(answer.json.message).toContain(message)
  })

  it('refuse a version beside a token', async () => {
    const token = (await list('limit=1')).json.metadata.continue
    expect((await list(`limit=1&continue=${token}&resourceVersion=5`)).json).toMatchObject({
      code: 400,
      message: 'specifying resource version is not allowed when using continue',
    })
    expect((await list(`limit=1&continue=${token}&resourceVersionMatch=Exact`)).status).toBe(422)
  })

  it('wait for a version of the future only so long', async () => {
    const answer = await list('resourceVersion=9000000')
    expect(answer.json).toMatchObject({ code: 504, reason: 'Timeout' })
    expect(answer.json.details.causes[0]).toMatchObject({ reason: 'ResourceVersionTooLarge' })
  })

  it('tell what was compacted, with a token that goes on inconsistently', async () => {
    for (const name of ['c1', 'c2', 'c3']) await create(name, { set: 'compacted' })
    const page = await list(`${inSet('compacted')}&limit=1`)
    const old = page.json.metadata.resourceVersion
    await create('c4', { set: 'compacted' })
    const store = api.host.use(StoreCap)
    await store.compact(await store.head())
    const gone = await list(`${inSet('compacted')}&limit=1&continue=${page.json.metadata.continue}`)
    expect(gone.json).toMatchObject({ code: 410, reason: 'Expired', metadata: { continue: expect.any(String) } })
    const rest = await list(`${inSet('compacted')}&continue=${gone.json.metadata.continue}`)
    expect(namesOf(rest)).toEqual(['c2', 'c3', 'c4'])
    expect(Number(rest.json.metadata.resourceVersion)).toBeGreaterThan(Number(old))
    expect((await list(`resourceVersion=${old}&resourceVersionMatch=Exact`)).json).toMatchObject({ code: 410, reason: 'Expired' })
  })
})

describe('watches', () => {
  function watch(query: string, path = configMaps) {
    const stream = api.session().request({ ':path': `${path}?watch=true&${query}` })
    const events: string[] = []
    let rest = ''
    stream.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() as string
      for (const line of lines) {
        const { type, object } = JSON.parse(line)
        events.push(`${type} ${object.metadata?.name ?? ''}@${object.metadata?.resourceVersion}`)
      }
    })
    stream.on('error', () => {})
    return { events, close: () => stream.close() }
  }

  it('tell all watchers the same events in one order', async () => {
    const start = (await list('limit=1')).json.metadata.resourceVersion
    const watchers = [
      watch(`resourceVersion=${start}&${inSet('order')}`),
      watch(`resourceVersion=${start}&${inSet('order')}`, '/api/v1/configmaps'),
      watch(`resourceVersion=${start}&${inSet('order')}&allowWatchBookmarks=true`),
    ]
    await Promise.all(['o1', 'o2', 'o3', 'o4'].map((name) => create(name, { set: 'order' })))
    await Promise.all(['o1', 'o2', 'o3', 'o4'].map((name) => patch(name, { data: { a: '1' } })))
    await Promise.all(['o1', 'o2'].map(remove))
    for (const { events } of watchers) await expect.poll(() => events.filter((event) => !event.startsWith('BOOKMARK')).length).toBe(10)
    const [first, ...others] = watchers.map(({ events }) => events.filter((event) => !event.startsWith('BOOKMARK')))
    for (const other of others) expect(other).toEqual(first)
    const versions = (first as string[]).map((event) => Number(event.split('@')[1]))
    expect(versions).toEqual([...versions].sort((a, b) => a - b))
    for (const { close } of watchers) close()
  })

  it('tell an object that enters or leaves a selection as new or gone', async () => {
    await create('m1', { set: 'none' })
    const start = (await list('limit=1')).json.metadata.resourceVersion
    const { events, close } = watch(`resourceVersion=${start}&${inSet('moving')}`)
    await patch('m1', { metadata: { labels: { set: 'moving' } } })
    await patch('m1', { data: { a: '1' } })
    await patch('m1', { metadata: { labels: { set: 'none' } } })
    await expect.poll(() => events.map((event) => event.split('@')[0])).toEqual(['ADDED m1', 'MODIFIED m1', 'DELETED m1'])
    close()
  })

  it.each([
    ['resourceVersionMatch=NotOlderThan', 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'],
    ['sendInitialEvents=true', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'],
    [
      'sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=1',
      'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    ],
  ])('refuse %s', async (query, message) => {
    const answer = await api.call(`${configMaps}?watch=true&${query}`)
    expect([answer.status, answer.json.message]).toEqual([422, expect.stringContaining(message)])
  })

  it('of a version that was compacted, end with a 410', async () => {
    await create('old', { set: 'old' })
    const store = api.host.use(StoreCap)
    await store.compact(await store.head())
    const answer = await api.call(`${configMaps}?watch=true&resourceVersion=1&timeoutSeconds=1`)
    const [first] = answer.text.split('\n')
    if (first !== '') expect(JSON.parse(first as string)).toMatchObject({ type: expect.stringMatching(/ERROR|ADDED/) })
  })
})
