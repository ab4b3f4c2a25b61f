import { describe, expect, it } from 'vitest'
import { decodeContinue, encodeContinue } from '../../src/client/continue-token.ts'
import { HotSet } from '../../src/client/hot-set.ts'
import { storedJson, storedLabels } from '../../src/client/stored-json.ts'
import { TurnTaking } from '../../src/client/turn-taking.ts'
import { versionScale } from '../../src/index.ts'

describe('continue tokens', () => {
  it('lead back to their place, below their own prefix only', () => {
    const token = encodeContinue({ revision: 7, startKey: '/registry/demo.io/widgets/ns/a' }, '/registry/demo.io/widgets/')
    expect(decodeContinue(token, '/registry/demo.io/widgets/')).toEqual({ revision: 7, startKey: '/registry/demo.io/widgets/ns/a' })
    expect(decodeContinue(token, '/registry/demo.io/widgets/ns/').startKey).toMatch(/^\/registry\/demo\.io\/widgets\/ns\//)
  })

  it.each([
    'x',
    '',
    btoa('{}'),
    btoa('null'),
    btoa('{"v":"continuo/1","rv":1}'),
    btoa('{"v":"continuo/1","rv":"1","start":"a"}'),
    btoa('{"v":"continuo/1","rv":1,"start":"../../core/secrets/a"}'),
    btoa('{"v":"meta.k8s.io/v1","rv":1,"start":"a"}'),
  ])('refuse %j', (text) => {
    expect(() => decodeContinue(text, '/registry/core/things/')).toThrow(expect.objectContaining({ status: 400 }))
  })
})

describe('resource versions', () => {
  it('are the base plus the revision, and nothing else is one', () => {
    const scale = versionScale(100)
    expect([scale.format(5), scale.parse('105'), scale.parse('7')]).toEqual(['105', 5, -93])
    for (const text of ['', 'a', '-1', '1.5', ' 1', '1e3', '99999999999999999999']) {
      expect(() => scale.parse(text), text).toThrow(expect.objectContaining({ status: 400 }))
    }
  })
})

describe('HotSet', () => {
  it('drops the least recently used first, and stays within its budget', () => {
    const hot = new HotSet(100)
    const dropped: string[] = []
    const derived = ['a', 'b', 'c', 'd'].map((name) => ({ drop: () => void dropped.push(name) }))
    for (const one of derived.slice(0, 3)) hot.touch(one, 30)
    hot.touch(derived[0] as never, 0)
    hot.touch(derived[3] as never, 30)
    expect([dropped, hot.totalBytes]).toEqual([['b'], 90])
    hot.touch(derived[3] as never, 500)
    expect(dropped).toEqual(['b', 'c', 'a', 'd'])
    expect(hot.totalBytes).toBe(0)
  })
})

describe('stored JSON', () => {
  const stored = (labels?: Record<string, string>) =>
    Buffer.from(
      storedJson({
        apiVersion: 'v1',
        kind: 'A',
        metadata: { name: 'a', resourceVersion: '5', ...(labels === undefined ? {} : { labels }) },
        spec: { labels: { no: 'these' } },
      }),
    )
  const at = '{"apiVersion":"v1","kind":"A","metadata":{'.length

  it('keeps no resource version', () => {
    expect(JSON.parse(stored().toString())).toEqual({
      apiVersion: 'v1',
      kind: 'A',
      metadata: { name: 'a' },
      spec: { labels: { no: 'these' } },
    })
  })

  it.each([[{}], [{ a: 'b' }], [{ 'x/y': '}"{\\' }], [{ a: '', b: 'ä' }]])('gives the labels %j without decoding', (labels) => {
    expect(storedLabels(stored(labels), at)).toEqual(labels)
  })

  it('tells that there are none', () => {
    expect(storedLabels(stored(), at)).toBeUndefined()
  })
})

describe('TurnTaking', () => {
  it('runs work of one key in order, of others at once, and forgets keys', async () => {
    const turns = new TurnTaking()
    const order: string[] = []
    let release = (): void => {}
    const held = turns.run('a', () => new Promise<void>((resolve) => (release = resolve)))
    const second = turns.run('a', async () => void order.push('a2'))
    const failing = turns.run('a', async () => {
      order.push('a3')
      throw new TypeError('a3 fails')
    })
    const last = turns.run('a', async () => void order.push('a4'))
    await turns.run('b', async () => void order.push('b'))
    expect(order).toEqual(['b'])
    expect([turns.isTaken('a'), turns.isTaken('b')]).toEqual([true, false])
    turns.noteWait('/pods/', 'a')
    turns.noteWait('/nodes/', 'b')
    expect([turns.awaitedIn('/pods/'), turns.awaitedIn('/nodes/'), turns.awaitedIn('/x/')]).toEqual(['a', undefined, undefined])
    release()
    await expect(failing).rejects.toThrow('a3 fails')
    await Promise.all([held, second, last])
    expect(order).toEqual(['b', 'a2', 'a3', 'a4'])
    expect(turns.isTaken('a')).toBe(false)
    expect(turns.awaitedIn('/pods/')).toBeUndefined()
  })
})
