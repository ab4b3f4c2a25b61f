import { deepEqual, equal, ok } from 'node:assert/strict'
import { once } from 'node:events'
import { ContinuoError, systemClock } from '@continuo/core'
import type { ProxyCheck } from './proxy-check.ts'
import { echo } from './sockets.ts'

/** Every duty of a service proxy, each by name: what `proxySuite` runs, and what broken proxies are held against. */
export const proxyChecks: readonly ProxyCheck[] = [
  {
    name: 'changes nothing when the same state is applied twice, whoever made it and however it is told',
    async run(bench) {
      const backend = await bench.sockets.backend('a')
      const [port, nodePort] = [await bench.freePort(), await bench.freePort(bench.opened.nodeAddress)]
      const services = () => [bench.service('web', port, [{ ...backend }], { nodePort })]
      ok((await bench.apply(services())).changes > 0)
      equal((await bench.apply(services())).changes, 0)
      equal((await bench.apply(services(), ['web'])).changes, 0)
      equal((await bench.apply(services(), [])).changes, 0)
    },
  },
  {
    name: 'changes what has changed and nothing else',
    async run(bench) {
      const [one, two] = [await bench.sockets.backend('one'), await bench.sockets.backend('two')]
      const ports = await Promise.all(Array.from({ length: 20 }, () => bench.freePort()))
      const before = ports.map((port, index) => bench.service(`web-${index}`, port, [one]))
      const all = await bench.apply(before)
      deepEqual(all.problems, [])
      const after = before.map((service, index) => (index === 7 ? { ...service, endpoints: [two] } : service))
      const { changes } = await bench.apply(after, ['web-7'])
      ok(changes > 0 && changes <= all.changes / 4, `${changes} changes for one service of 20, which took ${all.changes}`)
      deepEqual([await bench.ask(ports[7] as number), await bench.ask(ports[8] as number)], ['two', 'one'])
      equal((await bench.apply(after)).changes, 0)
    },
  },
  {
    name: 'sends traffic to every ready endpoint and to no other',
    async run(bench) {
      const { sockets } = bench
      const endpoints = [
        await sockets.backend('a'),
        await sockets.backend('b'),
        await sockets.backend('starting', { ready: false, serving: false }),
        await sockets.backend('leaving', { ready: false, serving: true, terminating: true }),
      ]
      const port = await bench.freePort()
      await bench.apply([bench.service('web', port, endpoints)])
      deepEqual(await bench.answers(port, 60), ['a', 'b'])
    },
  },
  {
    name: 'carries bytes both ways, to the end of each',
    async run(bench) {
      const port = await bench.freePort()
      await bench.apply([bench.service('web', port, [await bench.sockets.backend('a')])])
      const payload = 'payload '.repeat(100_000)
      equal(await echo(bench.ip, port, payload), `a\n${payload}`)
    },
  },
  {
    name: 'refuses or resets while there is no endpoint, and serves once there is one',
    async run(bench) {
      const port = await bench.freePort()
      await bench.apply([bench.service('web', port, [])])
      await bench.unreachable(port)
      const backend = await bench.sockets.backend('a')
      await bench.apply([bench.service('web', port, [{ ...backend, ready: false, serving: false }])], ['web'])
      await bench.unreachable(port)
      await bench.apply([bench.service('web', port, [backend])], ['web'])
      equal(await bench.ask(port), 'a')
      await bench.apply([bench.service('web', port, [])], ['web'])
      await bench.unreachable(port)
    },
  },
  {
    name: 'falls back to endpoints that serve while they terminate, as long as there is no other',
    async run(bench) {
      const leaving = await bench.sockets.backend('leaving', { ready: false, serving: true, terminating: true })
      const silent = await bench.sockets.backend('silent', { ready: false, serving: false, terminating: true })
      const port = await bench.freePort()
      await bench.apply([bench.service('web', port, [leaving, silent])])
      deepEqual(await bench.answers(port, 10), ['leaving'])
      await bench.apply([bench.service('web', port, [leaving, silent, await bench.sockets.backend('new')])], ['web'])
      deepEqual(await bench.answers(port, 10), ['new'])
    },
  },
  {
    name: 'keeps to endpoints of its node where the policy is Local',
    async run(bench) {
      const [near, far] = [
        await bench.sockets.backend('near', { nodeName: 'here' }),
        await bench.sockets.backend('far', { nodeName: 'there' }),
      ]
      const port = await bench.freePort()
      const local = { internalTrafficPolicy: 'Local' } as const
      await bench.apply([bench.service('web', port, [near, far], local)])
      deepEqual(await bench.answers(port, 20), ['near'])
      await bench.apply([bench.service('web', port, [far], local)], ['web'])
      await bench.unreachable(port)
    },
  },
  {
    name: 'keeps a client at its endpoint with session affinity, until that endpoint goes',
    async run(bench) {
      const { sockets } = bench
      const endpoints = [await sockets.backend('a'), await sockets.backend('b'), await sockets.backend('c')]
      const port = await bench.freePort()
      const sticky = { sessionAffinitySeconds: 600 }
      await bench.apply([bench.service('web', port, endpoints, sticky)])
      const [first, ...others] = await bench.answers(port, 20)
      deepEqual(others, [])
      const rest = endpoints.filter((_, index) => ['a', 'b', 'c'][index] !== first)
      await bench.apply([bench.service('web', port, rest, sticky)], ['web'])
      const next = await bench.answers(port, 20)
      equal(next.length, 1)
      ok(next[0] !== first)
    },
  },
  {
    name: 'answers on node ports',
    async run(bench) {
      const [port, nodePort] = [await bench.freePort(), await bench.freePort(bench.opened.nodeAddress)]
      await bench.apply([bench.service('web', port, [await bench.sockets.backend('a')], { nodePort })])
      equal(await bench.ask(nodePort, bench.opened.nodeAddress), 'a')
      await bench.apply([bench.service('web', port, [await bench.sockets.backend('a')])], ['web'])
      await bench.unreachable(nodePort, bench.opened.nodeAddress)
    },
  },
  {
    name: 'carries datagrams there and back, and follows endpoints that change',
    async run(bench) {
      const [one, two] = [await bench.sockets.udpBackend('one'), await bench.sockets.udpBackend('two')]
      const port = await bench.freePort()
      const udp = { protocol: 'UDP' } as const
      await bench.apply([bench.service('dns', port, [one], udp)])
      const send = await bench.sockets.udpClient(bench.ip, port)
      equal(await send('hello'), 'one hello')
      equal(await send('again'), 'one again')
      await bench.apply([bench.service('dns', port, [two], udp)], ['dns'])
      equal(await send('later'), 'two later')
      await bench.apply([bench.service('dns', port, [], udp)], ['dns'])
      equal(await send('nobody?'), undefined)
    },
  },
  {
    name: 'lets open connections live when their endpoint leaves',
    async run(bench) {
      const [old, next] = [await bench.sockets.backend('old'), await bench.sockets.backend('next')]
      const port = await bench.freePort()
      await bench.apply([bench.service('web', port, [old])])
      const { socket, name } = await bench.sockets.connect(bench.ip, port)
      equal(name, 'old')
      await bench.apply([bench.service('web', port, [next])], ['web'])
      socket.write('still here?')
      equal(String((await once(socket, 'data', { signal: AbortSignal.timeout(3_000) }))[0]), 'still here?')
      equal(await bench.ask(port), 'next')
    },
  },
  {
    name: 'keeps every service routable while others come, go and change',
    async run(bench) {
      const { sockets } = bench
      const [a, b, c] = [await sockets.backend('a'), await sockets.backend('b'), await sockets.backend('c')]
      const [steady, moving, passing] = [await bench.freePort(), await bench.freePort(), await bench.freePort()]
      const services = (round: number) => [
        bench.service('steady', steady, [a]),
        bench.service('moving', moving, round % 2 === 0 ? [a, b] : [a, c]),
        ...(round % 3 === 0 ? [bench.service('passing', passing, [b])] : []),
      ]
      await bench.apply(services(0))
      const failures: unknown[] = []
      let [requests, done] = [0, false]
      const load = [steady, moving, steady, moving].map(async (port) => {
        while (!done) {
          requests++
          await bench.ask(port).catch((error) => failures.push(error))
        }
      })
      for (let round = 1; round <= 40; round++) {
        await bench.apply(services(round), round % 5 === 0 ? undefined : ['moving', 'passing'])
        await systemClock.sleep(5)
      }
      done = true
      await Promise.all(load)
      if (failures.length > 0)
        throw new ContinuoError('CHECK_FAILED', `${failures.length} of ${requests} connections failed`, { cause: failures[0] })
      ok(requests > 50, `only ${requests} connections were made`)
    },
  },
  {
    name: 'lets go of a service that is removed, and of that alone; its address may pass to another at once',
    async run(bench) {
      const [a, b] = [await bench.sockets.backend('a'), await bench.sockets.backend('b')]
      const [port, other] = [await bench.freePort(), await bench.freePort()]
      await bench.apply([bench.service('web', port, [a]), bench.service('other', other, [a])])
      await bench.apply([bench.service('other', other, [a])], ['web'])
      await bench.unreachable(port)
      equal(await bench.ask(other), 'a')
      const { problems } = await bench.apply([bench.service('heir', other, [b])], ['other', 'heir'])
      deepEqual(problems, [])
      equal(await bench.ask(other), 'b')
    },
  },
  {
    name: 'tells two addresses with one port apart',
    async run(bench) {
      const [first, second] = bench.opened.clusterIPs
      const port = await bench.freePort()
      const [a, b] = [await bench.sockets.backend('a'), await bench.sockets.backend('b')]
      await bench.apply([bench.service('a', port, [a], { clusterIPs: [first] }), bench.service('b', port, [b], { clusterIPs: [second] })])
      deepEqual([await bench.ask(port, first), await bench.ask(port, second)], ['a', 'b'])
    },
  },
  {
    name: 'says why a service cannot be reached for as long as that is so, routes the others, and heals',
    applies: ({ needsPorts }) => needsPorts,
    async run(bench) {
      const [taken, free] = [await bench.freePort(), await bench.freePort()]
      const release = await bench.sockets.occupy(bench.ip, taken)
      const backend = await bench.sockets.backend('a')
      const services = [bench.service('web', taken, [backend]), bench.service('other', free, [backend])]
      const { problems } = await bench.apply(services)
      deepEqual(
        problems.map(({ id, reason }) => [id, reason]),
        [['suite/web:http', 'PortInUse']],
      )
      ok(problems[0]?.message.includes(`${bench.ip}:${taken}`), 'the message names the address')
      equal(await bench.ask(free), 'a')
      equal((await bench.apply(services, ['other'])).problems.length, 1)
      await release()
      deepEqual((await bench.apply(services)).problems, [])
      equal(await bench.ask(taken), 'a')
    },
  },
  {
    name: 'leaves nothing when it is cleared, twice too, and can begin again',
    async run(bench) {
      const [port, nodePort] = [await bench.freePort(), await bench.freePort(bench.opened.nodeAddress)]
      const services = [bench.service('web', port, [await bench.sockets.backend('a')], { nodePort })]
      await bench.apply(services)
      await bench.proxy.clear()
      await bench.proxy.clear()
      await bench.unreachable(port)
      await bench.unreachable(nodePort, bench.opened.nodeAddress)
      await (await bench.sockets.occupy(bench.ip, port))()
      ok((await bench.apply(services)).changes > 0)
      equal(await bench.ask(port), 'a')
    },
  },
]
