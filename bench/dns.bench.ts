// DNS questions for each second of CPU of the name server, beside a bare dgram socket that sends the same datagrams back.
//   node --conditions=@continuo/source bench/dns.bench.ts [questions per round, default 50000] [rounds, default 5] [services, default 5000]

import { createSocket } from 'node:dgram'
import { createRequire } from 'node:module'
import { type Child, startChild } from './support/child.ts'
import { header, median, range, ratios, row } from './support/figures.ts'

const questions = Number(process.argv[2] ?? 50_000)
const rounds = Number(process.argv[3] ?? 5)
const services = Number(process.argv[4] ?? 5_000)
const underWay = 64

const packet = createRequire(new URL('../packages/plugin-dns/package.json', import.meta.url))('dns-packet') as {
  encode(message: object): Buffer
}

interface Kind {
  readonly name: string
  readonly ask: (at: number) => { readonly name: string; readonly type: string }
}

const kinds: readonly Kind[] = [
  { name: 'a service, A', ask: (at) => ({ name: `s${(at % (services / 2)) * 2}.shop.svc.cluster.local`, type: 'A' }) },
  { name: 'headless, 3 endpoints, A', ask: (at) => ({ name: `s${(at % (services / 2)) * 2 + 1}.shop.svc.cluster.local`, type: 'A' }) },
  {
    name: 'a port of it, SRV',
    ask: (at) => ({ name: `_http._tcp.s${(at % (services / 2)) * 2 + 1}.shop.svc.cluster.local`, type: 'SRV' }),
  },
  { name: 'no such name, A', ask: (at) => ({ name: `www${at % 999}.example.com.shop.svc.cluster.local`, type: 'A' }) },
]

/** Sends the messages, so many under way, and waits for as many back. Microseconds of CPU of the other side for each. */
async function round(child: Child, port: number, messages: readonly Buffer[]): Promise<number> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve))
  socket.setRecvBufferSize(1024 * 1024)
  const before = await child.call<number>('cpu')
  await new Promise<void>((resolve) => {
    let sent = 0
    let got = 0
    const send = (): void => void (sent < questions && socket.send(messages[sent++ % messages.length] as Buffer))
    socket.on('message', () => {
      if (++got === questions) resolve()
      else send()
    })
    for (let i = 0; i < underWay; i++) send()
  })
  const micros = (await child.call<number>('cpu')) - before
  socket.close()
  return micros / questions
}

using ours = startChild('./dns-process.ts')
using floor = startChild('./dns-process.ts')
const port = await ours.call<number>('dns', services)
const echoPort = await floor.call<number>('echo')

header(['question', 'µs of CPU (range)', 'bare echo, µs (range)', 'questions per CPU second', 'of the echo (range)'])
for (const kind of kinds) {
  const messages = Array.from({ length: 2_000 }, (_, at) => packet.encode({ type: 'query', id: at, flags: 256, questions: [kind.ask(at)] }))
  await round(ours, port, messages)
  await round(floor, echoPort, messages)
  const cost: number[] = []
  const bare: number[] = []
  for (let i = 0; i < rounds; i++) {
    cost.push(await round(ours, port, messages))
    bare.push(await round(floor, echoPort, messages))
  }
  const share = ratios(bare, cost)
  row([
    kind.name,
    `${median(cost).toFixed(1)} (${range(cost, 1)})`,
    `${median(bare).toFixed(1)} (${range(bare, 1)})`,
    Math.round(1_000_000 / median(cost)),
    `${median(share).toFixed(2)} (${range(share, 2)})`,
  ])
}

console.log()
header(['services', 'µs of CPU for a changed slice (range)'])
for (const count of [100, 1_000, 10_000]) {
  const cost: number[] = []
  for (let i = 0; i <= rounds; i++) cost.push(await ours.call<number>('changes', { services: count, count: 20_000 }))
  // The first round compiles.
  cost.shift()
  row([count.toLocaleString('en'), `${median(cost).toFixed(1)} (${range(cost, 1)})`])
}
await ours.call('close')
await floor.call('close')
