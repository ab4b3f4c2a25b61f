import { createVirtualClock } from '@continuo/testkit'
import { expect, it } from 'vitest'
import { CapabilityContainer, capability, optional, type Providers } from '../../src/index.ts'

class Counter {
  #count = 0
  readonly label = 'counter'
  add(): number {
    this.#count += 1
    return this.#count
  }
  async slow(gate: Promise<void>): Promise<string> {
    await gate
    return 'done'
  }
}

const Plain = capability<Counter>('plain/v1')
const Swap = capability<Counter>('swap/v1', { swappable: true })
const Remote = capability<Counter>('remote/v1', { swappable: true, remotable: true })
const Many = capability<Counter, 'many'>('many/v1', { cardinality: 'many' })

it('rejects a second provider of a capability and names both', () => {
  const container = new CapabilityContainer()
  container.provide(Plain, new Counter(), 'a')
  expect(() => container.provide(Plain, new Counter(), 'b')).toThrowError(
    expect.objectContaining({ code: 'CAPABILITY_DUPLICATE', message: 'plain/v1 is provided by a and by b' }),
  )
})

it('names who needs what nothing provides, and gives nothing for an optional one', () => {
  const container = new CapabilityContainer()
  expect(() => container.resolve(Plain, 'user')).toThrowError(
    expect.objectContaining({ code: 'CAPABILITY_MISSING', message: 'user needs plain/v1, which nothing provides' }),
  )
  expect(container.resolve(optional(Plain), 'user')).toBeUndefined()
})

it('recognises a token of another copy of its package by its id', () => {
  const container = new CapabilityContainer()
  const provider = new Counter()
  container.provide(Plain, provider, 'a')
  expect(container.resolve(capability<Counter>('plain/v1'), 'user')).toBe(provider)
  expect(new CapabilityContainer().has(Plain)).toBe(false)
})

it('gives the provider itself unless it is swappable', () => {
  const container = new CapabilityContainer()
  const provider = new Counter()
  container.provide(Plain, provider, 'a')
  container.provide(Swap, provider, 'a')
  expect(container.resolve(Plain, 'user')).toBe(provider)
  expect(container.resolve(Swap, 'user')).not.toBe(provider)
})

it('keeps a handle valid through a change of providers, private fields, properties and detached methods included', () => {
  const container = new CapabilityContainer()
  const remove = container.provide(Swap, new Counter(), 'a')
  const handle = container.resolve(Swap, 'user') as Counter
  const { add } = handle
  expect([handle.add(), add(), handle.label, 'label' in handle]).toEqual([1, 2, 'counter', true])
  expect(handle.add).toBe(handle.add)
  remove()
  expect(() => handle.add()).toThrowError(expect.objectContaining({ code: 'CAPABILITY_UNAVAILABLE' }))
  container.provide(Swap, new Counter(), 'b')
  expect([handle.add(), add()]).toEqual([1, 2])
  expect(container.resolve(Swap, 'other')).toBe(handle)
})

it('can be awaited and returned from an async function', async () => {
  const container = new CapabilityContainer()
  container.provide(Remote, new Counter(), 'a')
  const handle = container.resolve(Remote, 'user')
  expect(await (async () => handle)()).toBe(handle)
})

it('counts calls in flight and drains, and says when it takes too long', async () => {
  const clock = createVirtualClock()
  const container = new CapabilityContainer()
  container.provide(Remote, new Counter(), 'a')
  const [place] = container.ownedBy('a', [Remote])
  let open = (): void => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const call = (container.resolve(Remote, 'user') as Counter).slow(gate)
  expect(place?.inFlight).toBe(1)
  const late = place?.drained(clock, 100).catch((error: { code: string }) => error.code)
  await clock.advance(100)
  expect(await late).toBe('DEADLINE_EXCEEDED')
  const drained = place?.drained(clock, 100)
  open()
  await drained
  expect([await call, place?.inFlight]).toEqual(['done', 0])
})

it('lets calls of a remotable capability wait for its provider, and refuses them when none will come', async () => {
  const container = new CapabilityContainer()
  const remove = container.provide(Remote, new Counter(), 'first')
  const handle = container.resolve(Remote, 'user') as Counter
  remove()
  const waiting = handle.slow(Promise.resolve())
  container.provide(Remote, new Counter(), 'a')
  expect(await waiting).toBe('done')
  container.ownedBy('a', [Remote])[0]?.empty()
  const refused = handle.slow(Promise.resolve())
  container.close([Remote])
  await expect(refused).rejects.toMatchObject({ code: 'CAPABILITY_UNAVAILABLE' })
})

it('gives a live view of many providers, in the order of their keys', () => {
  const container = new CapabilityContainer()
  const view = container.resolve(Many, 'user') as Providers<Counter>
  expect(view.size).toBe(0)
  container.provide(Many, new Counter(), 'p', 'b')
  const remove = container.provide(Many, new Counter(), 'q', 'a')
  expect(view.keys()).toEqual(['a', 'b'])
  expect(() => container.provide(Many, new Counter(), 'r', 'a')).toThrowError(
    expect.objectContaining({ message: 'many/v1 "a" is provided by q and by r' }),
  )
  remove()
  expect([view.keys(), view.get('a'), view.get('b')?.add()]).toEqual([['b'], undefined, 1])
})
