import { execFileSync } from 'node:child_process'
import { silentLog, systemClock } from '@continuo/core'
import { createSeededRandom, NetworkLab, serveNamespace } from '@continuo/testkit'
import { KernelProxy, type ProxyEndpoint, type ProxyServicePort } from '@continuo/workload'
import { NftKeeper, nftRules } from '../../packages/plugin-proxy-nftables/src/index.ts'
import { RuleTracer } from './rule-tracer.ts'

export interface RandomRun {
  readonly changes: number
  readonly traced: number
  readonly packets: number
  readonly restarts: number
  readonly misroutes: readonly string[]
}

const podRange = '10.244.0.0/16'
const own = new Set([NetworkLab.nodeIp, '127.0.0.1'])
const rules = nftRules({ podRanges: { ip: [podRange], ip6: [] }, nodePortRanges: { ip: [], ip6: [] }, masqueradeMark: 0x2000 })
const makeProxy = (): KernelProxy =>
  new KernelProxy(
    'nftables',
    rules,
    new NftKeeper({ clock: systemClock, log: silentLog, table: 'continuo', nft: 'nft', conntrack: 'conntrack' }),
  )
const tracer = (): RuleTracer =>
  new RuleTracer(execFileSync('nft', ['-j', 'list', 'table', 'ip', 'continuo'], { encoding: 'utf8', maxBuffer: 1 << 28 }), own)

/** Where a packet goes to and where it may end: written from the Kubernetes documentation of services, not from the rules. */
function expected(service: ProxyServicePort, external: boolean, fromPod: boolean): readonly string[] {
  const pick = (list: readonly ProxyEndpoint[]): readonly string[] => {
    const ready = list.filter((one) => one.ready)
    return (ready.length > 0 ? ready : list.filter((one) => one.serving && one.terminating)).map(({ ip, port }) => `${ip} . ${port}`).sort()
  }
  const all = pick(service.endpoints)
  if (all.length === 0) return ['refused']
  const local = external ? service.externalTrafficPolicy === 'Local' && !fromPod : service.internalTrafficPolicy === 'Local'
  if (!local) return all
  const here = pick(service.endpoints.filter(({ nodeName }) => nodeName === 'here'))
  return here.length === 0 ? ['dropped'] : here
}

async function run(seed: number, changes: number): Promise<RandomRun> {
  const random = createSeededRandom(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)] as T
  const chance = (probability: number): boolean => random.next() < probability
  const lab = await NetworkLab.open()
  const real = [lab.a, lab.b, lab.far]
  const names = new Map(real.map((place) => [`${place.ip} . 8080`, place.name]))

  const endpoint = (ip: string, port: number): ProxyEndpoint => {
    const state = random.next()
    const ready = state < 0.7
    return {
      ip,
      port,
      ready,
      serving: ready || state < 0.85,
      terminating: !ready && state >= 0.75,
      nodeName: /^10\.244\.2\./.test(ip) ? 'other' : 'here',
    }
  }
  const endpoints = (): readonly ProxyEndpoint[] =>
    chance(0.5)
      ? real.filter(() => chance(0.6)).map(({ ip }) => endpoint(ip, 8080))
      : Array.from({ length: Math.floor(random.next() * 12) }, (_, index) =>
          endpoint(`10.244.${chance(0.5) ? 2 : 1}.${100 + index}`, pick([80, 8080])),
        )
  const service = (index: number): ProxyServicePort => ({
    id: `random/svc-${index}:http`,
    namespace: 'random',
    service: `svc-${index}`,
    portName: 'http',
    protocol: chance(0.85) ? 'TCP' : 'UDP',
    clusterIPs: [`10.96.1.${index}`],
    externalIPs: chance(0.3) ? [`203.0.113.${index}`] : [],
    loadBalancerIPs: chance(0.3) ? [`198.51.100.${index}`] : [],
    port: pick([80, 443]),
    ...(chance(0.4) ? { nodePort: 30_000 + index } : {}),
    ...(chance(0.2) ? { sessionAffinitySeconds: pick([30, 600]) } : {}),
    internalTrafficPolicy: chance(0.15) ? 'Local' : 'Cluster',
    externalTrafficPolicy: chance(0.3) ? 'Local' : 'Cluster',
    endpoints: endpoints(),
  })
  const places = (port: ProxyServicePort) => [
    ...port.clusterIPs.map((ip) => ({ ip, port: port.port, external: false })),
    ...[...port.externalIPs, ...port.loadBalancerIPs].map((ip) => ({ ip, port: port.port, external: true })),
    ...(port.nodePort === undefined ? [] : [{ ip: NetworkLab.nodeIp, port: port.nodePort, external: true }]),
  ]

  const misroutes: string[] = []
  const ports = new Map<string, ProxyServicePort>()
  let [proxy, traced, packets, restarts] = [makeProxy(), 0, 0, 0]
  const check = (rulesNow: RuleTracer, port: ProxyServicePort, change: number): void => {
    for (const address of places(port))
      for (const from of [lab.client.ip, '10.244.1.77']) {
        traced++
        const want = expected(port, address.external, from !== lab.client.ip)
        const protocol = port.protocol === 'TCP' ? 'tcp' : 'udp'
        const got = [...rulesNow.trace({ protocol, from, to: address.ip, port: address.port })].sort()
        // A client that was here before, to a service with affinity: one of them, the same as then.
        const again = port.sessionAffinitySeconds !== undefined && got.length === 1 && want.includes(got[0] as string)
        if (`${got}` !== `${want}` && !again)
          misroutes.push(
            `seed ${seed}, change ${change}: ${port.id} at ${address.ip}:${address.port} from ${from}: ${got} instead of ${want}`,
          )
      }
  }
  const send = async (port: ProxyServicePort, change: number): Promise<void> => {
    const address = pick(places(port))
    const from = pick([lab.client, lab.b])
    const want = expected(port, address.external, from === lab.b)
    if (port.protocol !== 'TCP' || want.some((one) => !names.has(one) && one !== 'refused')) return
    packets++
    const [answer = ''] = (await from.tcp(address.ip, address.port)).split(' ')
    const allowed = want.map((one) => names.get(one) ?? 'ECONNREFUSED')
    if (!allowed.includes(answer))
      misroutes.push(`seed ${seed}, change ${change}: ${from.name} to ${address.ip}:${address.port}: ${answer} instead of ${allowed}`)
  }

  try {
    for (let change = 1; change <= changes && misroutes.length === 0; change++) {
      const touched = new Set<string>()
      for (let count = chance(0.8) ? 1 : 5; count > 0; count--) {
        const next = service(1 + Math.floor(random.next() * 40))
        const known = ports.get(next.id)
        if (known === undefined || chance(0.3)) ports.set(next.id, next)
        else if (chance(0.25)) ports.delete(next.id)
        else ports.set(next.id, { ...known, endpoints: endpoints() })
        touched.add(next.id)
      }
      if (chance(0.01)) {
        proxy = makeProxy()
        restarts++
      }
      await proxy.apply({ state: { nodeName: 'here', ports: new Map(ports) }, ...(chance(0.03) ? {} : { changed: touched }) })
      const rulesNow = tracer()
      for (const port of change % 25 === 0 ? [...ports.values()] : [...touched].flatMap((id) => ports.get(id) ?? []))
        check(rulesNow, port, change)
      if (ports.size > 0) await send(pick([...ports.values()]), change)
    }
  } finally {
    await proxy.clear()
    await lab.close()
  }
  return { changes, traced, packets, restarts, misroutes }
}

serveNamespace({ run })
