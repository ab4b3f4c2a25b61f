import { deepEqual, equal, notEqual, ok, rejects } from 'node:assert/strict'
import { isRuntimeError } from '@continuo/workload'
import { describe, it } from 'vitest'
import { attachMany, type OpenedPodNetwork, type PodNetworkCheck, pod, runPodNetworkCheck } from './pod-network-check.ts'

const addresses = (attachments: readonly { readonly ips: readonly string[] }[]): string[] => attachments.flatMap(({ ips }) => ips)

/** Every duty of a pod network, each by name. */
export const podNetworkChecks: readonly PodNetworkCheck[] = [
  {
    name: 'gives each sandbox an address of its own and says who has one',
    async run({ network }) {
      deepEqual(await network.attached(), [])
      const ips = addresses([await network.attach(pod(0)), await network.attach(pod(1))])
      ok(ips.length >= 2 && ips.every((ip) => /^[\d.]+$|:/.test(ip)), `addresses: ${ips}`)
      equal(new Set(ips).size, ips.length)
      deepEqual([...(await network.attached())].sort(), [pod(0).uid, pod(1).uid])
    },
  },
  {
    name: 'gives the same when it is asked twice, one after the other and at once',
    async run({ network }) {
      const first = await network.attach(pod(0))
      deepEqual(await network.attach(pod(0)), first)
      const [a, b] = await Promise.all([network.attach(pod(1)), network.attach(pod(1))])
      deepEqual(a, b)
      equal((await network.attached()).length, 2)
    },
  },
  {
    name: 'gives many at once different addresses',
    async run({ network }) {
      const ips = addresses(await attachMany(network, 12))
      equal(new Set(ips).size, ips.length)
    },
  },
  {
    name: 'connects: pods reach each other and themselves by their addresses',
    async run({ network, reaches }) {
      const [a, b] = [await network.attach(pod(0)), await network.attach(pod(1))]
      ok(await reaches(a, b.ips[0] ?? ''), 'the second from the first')
      ok(await reaches(b, a.ips[0] ?? ''), 'the first from the second')
      ok(await reaches(a, a.ips[0] ?? ''), 'the first from itself')
      ok(await reaches(a, '127.0.0.1'), 'its loopback address')
    },
  },
  {
    name: 'connects a namespace that somebody else made, and leaves it there',
    async run({ network, namespace, reaches }) {
      const netns = await namespace()
      const a = await network.attach({ ...pod(0), netns })
      equal(a.netns, netns)
      const b = await network.attach(pod(1))
      ok(await reaches(b, a.ips[0] ?? ''), 'it is reached')
      ok(await reaches(a, b.ips[0] ?? ''), 'it reaches')
      await network.detach(pod(0).uid)
      const again = await network.attach({ ...pod(2), netns })
      ok(await reaches(b, again.ips[0] ?? ''), 'it is connected for another pod')
    },
  },
  {
    name: 'keeps the address of a sandbox whose namespace was replaced, and connects the new one',
    async run({ network, namespace, reaches }) {
      const other = await network.attach(pod(1))
      const before = await network.attach({ ...pod(0), netns: await namespace() })
      const after = await network.attach({ ...pod(0), netns: await namespace() })
      deepEqual(after.ips, before.ips)
      notEqual(after.netns, before.netns)
      ok(await reaches(after, other.ips[0] ?? ''))
    },
  },
  {
    name: 'knows after a restart who has which address, and gives none of them away',
    async run({ network, restart, reaches }) {
      const before = await attachMany(network, 4)
      const next = await restart()
      deepEqual(
        [...(await next.attached())].sort(),
        [0, 1, 2, 3].map((index) => pod(index).uid),
      )
      const more = addresses(await attachMany(next, 4, 4))
      ok(!more.some((ip) => addresses(before).includes(ip)), 'addresses were given twice')
      ok(await reaches(before[0] ?? { ips: [], netns: '' }, before[1]?.ips[0] ?? ''), 'what was connected stays connected')
      deepEqual(await attachMany(next, 4), before)
    },
  },
  {
    name: 'lets go of what is detached, also after a restart, also twice, also of what it never heard of',
    async run({ network, restart }) {
      await attachMany(network, 3)
      await network.detach(pod(0).uid)
      await network.detach(pod(0).uid)
      await network.detach('never-heard-of')
      deepEqual([...(await network.attached())].sort(), [pod(1).uid, pod(2).uid])
      const next = await restart()
      await next.detach(pod(1).uid)
      deepEqual(await next.attached(), [pod(2).uid])
    },
  },
  {
    name: 'leaks no address: more pods come and go than there are addresses',
    async run({ network, capacity }) {
      for (let round = 0; round < 3; round++) {
        await attachMany(network, capacity, round * capacity)
        await Promise.all(Array.from({ length: capacity }, (_, index) => network.detach(pod(round * capacity + index).uid)))
      }
      deepEqual(await network.attached(), [])
    },
  },
  {
    name: 'refuses with RUNTIME_UNAVAILABLE when all addresses are taken, until one is released',
    async run({ network, capacity }) {
      await attachMany(network, capacity)
      await rejects(network.attach(pod(capacity)), (error) => isRuntimeError(error, 'RUNTIME_UNAVAILABLE'))
      equal((await network.attached()).length, capacity)
      const { ips } = await network.attach(pod(3))
      await network.detach(pod(3).uid)
      deepEqual((await network.attach(pod(capacity))).ips, ips)
    },
  },
  {
    name: 'does not give a released address to the next who asks while others are free',
    async run({ network }) {
      const { ips } = await network.attach(pod(0))
      await network.detach(pod(0).uid)
      notEqual((await network.attach(pod(1))).ips[0], ips[0])
    },
  },
  {
    name: 'leaves nothing behind, whatever the order of attaching and detaching',
    async run({ network, leftovers, restart }) {
      const before = await leftovers()
      const orders = Array.from({ length: 6 }, (_, index) => [network.attach(pod(index)).catch(() => {}), network.detach(pod(index).uid)])
      await Promise.all(orders.flat())
      await attachMany(network, 3)
      const next = await restart()
      for (const uid of await next.attached()) await next.detach(uid)
      deepEqual(await next.attached(), [])
      deepEqual(await leftovers(), before)
    },
  },
]

/**
 * Declares the conformance tests of `pod-network/v1` for one implementation.
 * @param open Gives a network without pods; called once for each test.
 * @example podNetworkSuite('routed', async () => ({ network, capacity: 14, restart: …, namespace: …, reaches: …, leftovers: …, dispose: … }))
 */
export function podNetworkSuite(name: string, open: () => Promise<OpenedPodNetwork>): void {
  describe(`pod network suite: ${name}`, () => {
    for (const check of podNetworkChecks) it(check.name, () => runPodNetworkCheck(check, open))
  })
}
