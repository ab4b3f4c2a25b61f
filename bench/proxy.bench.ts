// What it costs to programme services into the kernel, beside the bare tool with the same rules in one prepared text. Needs root, nft and iptables.
//   node --conditions=@continuo/source bench/proxy.bench.ts [services, default 5000] [rounds, default 5]

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { silentLog, systemClock } from '../packages/core/src/index.ts'
import { IptablesKeeper, iptablesRules } from '../packages/plugin-proxy-iptables/src/index.ts'
import { restoreInputs } from '../packages/plugin-proxy-iptables/src/restore-input.ts'
import { NftKeeper, nftRules } from '../packages/plugin-proxy-nftables/src/index.ts'
import { differences, transaction } from '../packages/plugin-proxy-nftables/src/rule-set.ts'
import {
  KernelProxy,
  type ProxyServicePort,
  type ProxyState,
  type RuleKeeper,
  type RuleObjects,
  ServiceProgramme,
  type ServiceRuleMaker,
} from '../packages/workload/src/index.ts'
import { header, median, range, ratios, row } from './support/figures.ts'

const services = Number(process.argv[2] ?? 5_000)
const rounds = Number(process.argv[3] ?? 5)

if (process.env.PROXY_BENCH !== 'inside') {
  const file = fileURLToPath(import.meta.url)
  const command = ['--net', process.execPath, '--conditions=@continuo/source', '--no-warnings', file, `${services}`, `${rounds}`]
  const missing = ['nft', 'iptables-restore', 'unshare'].filter((tool) => spawnSync(tool, ['--version']).error !== undefined)
  if (process.getuid?.() !== 0 || missing.length > 0)
    console.log(`skipped: it needs root, nft, iptables and unshare; missing: ${missing.join(', ') || 'root'}`)
  else process.exitCode = spawnSync('unshare', command, { stdio: 'inherit', env: { ...process.env, PROXY_BENCH: 'inside' } }).status ?? 1
} else await measure()

function serviceAt(index: number, generation = 0): ProxyServicePort {
  const id = `bench/svc-${String(index).padStart(5, '0')}:http`
  const endpoints = [0, 1, 2].map((slot) => {
    const number = index * 3 + slot + generation * 100_000
    const ip = `10.${128 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`
    return { ip, port: 8080, ready: true, serving: true, terminating: false, nodeName: 'elsewhere' }
  })
  return {
    id,
    namespace: 'bench',
    service: `svc-${index}`,
    portName: 'http',
    protocol: 'TCP',
    clusterIPs: [`10.96.${index >> 8}.${index & 255}`],
    externalIPs: [],
    loadBalancerIPs: [],
    port: 80,
    internalTrafficPolicy: 'Cluster',
    externalTrafficPolicy: 'Cluster',
    endpoints,
  }
}

function stateOf(ports: readonly ProxyServicePort[]): ProxyState {
  return { nodeName: 'here', ports: new Map(ports.map((port) => [port.id, port])) }
}

interface Tool {
  readonly name: string
  readonly maker: ServiceRuleMaker
  keeper(): RuleKeeper
  /** What the bare tool is given for a whole rule set. */
  texts(wanted: RuleObjects): readonly string[]
  run(text: string): void
  clean(): void
}

function run(command: string, args: readonly string[], input: string): void {
  const { status, stderr } = spawnSync(command, args, { input, maxBuffer: 1 << 28 })
  if (status !== 0) throw new TypeError(`${command}: ${stderr}`)
}

async function measure(): Promise<void> {
  const none = { ip: [], ip6: [] }
  const common = { podRanges: { ip: ['10.244.0.0/16'], ip6: [] }, nodePortRanges: none, masqueradeMark: 0x2000 }
  const tools: readonly Tool[] = [
    {
      name: 'nftables',
      maker: nftRules(common),
      keeper: () => new NftKeeper({ clock: systemClock, log: silentLog, table: 'bench', nft: 'nft', conntrack: 'conntrack' }),
      texts: (wanted) => [['add table ip bench', ...transaction('ip bench', differences(new Map(), wanted)), ''].join('\n')],
      run: (text) => run('nft', ['-f', '-'], text),
      clean: () => run('nft', ['-f', '-'], 'flush ruleset\n'),
    },
    {
      name: 'iptables',
      maker: iptablesRules({ ...common, prefix: 'BENCH', serviceRanges: none }),
      keeper: () => new IptablesKeeper({ clock: systemClock, log: silentLog, prefix: 'BENCH', conntrack: 'conntrack' }),
      texts: (wanted) => restoreInputs(differences(new Map(), wanted)),
      run: (text) => run('iptables-restore', ['-w', '10', '--noflush'], text),
      clean: () => run('nft', ['-f', '-'], 'flush ruleset\n'),
    },
  ]
  const ports = Array.from({ length: services }, (_, index) => serviceAt(index))
  console.log(`${services} services × 3 endpoints; ${rounds} rounds, the bare tool and the proxy in turn; median and range in ms\n`)
  header(['what', 'bare tool', 'proxy', 'ratio of pairs'])
  for (const tool of tools) await compare(tool, ports)
}

function runAll(tool: Tool, texts: readonly string[]): void {
  for (const text of texts) tool.run(text)
}

async function timed(work: () => unknown): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

async function compare(tool: Tool, ports: readonly ProxyServicePort[]): Promise<void> {
  const programme = new ServiceProgramme(tool.maker, ['ip'])
  programme.update(
    stateOf(ports),
    ports.map(({ id }) => id),
  )
  const texts = tool.texts(programme.wanted('ip'))
  const [bareFull, full, bareOne, one]: [number[], number[], number[], number[]] = [[], [], [], []]
  for (let round = 0; round < rounds; round++) {
    tool.clean()
    bareFull.push(await timed(() => runAll(tool, texts)))
    tool.clean()
    const proxy = new KernelProxy(tool.name, tool.maker, tool.keeper())
    // As a node starts: the tables are there, without services.
    await proxy.apply({ state: stateOf([]) })
    full.push(await timed(() => proxy.apply({ state: stateOf(ports), changed: new Set(ports.map(({ id }) => id)) })))

    const index = (services >> 1) + round
    const changed = serviceAt(index, 1)
    const next = ports.with(index, changed)
    const change = programme.update(stateOf(next), [changed.id]).ip
    const back = programme.update(stateOf(ports), [changed.id]).ip
    const commands = (changes: typeof change): readonly string[] =>
      tool.name === 'iptables' ? restoreInputs(changes) : [`${transaction('ip bench', changes).join('\n')}\n`]
    bareOne.push(await timed(() => runAll(tool, commands(change))))
    runAll(tool, commands(back))
    one.push(await timed(() => proxy.apply({ state: stateOf(next), changed: new Set([changed.id]) })))
  }
  tool.clean()
  for (const [what, bare, ours] of [
    ['all services', bareFull, full],
    ['one service', bareOne, one],
  ] as const)
    row([
      `${tool.name}: ${what}`,
      `${median(bare).toFixed(0)} (${range(bare)})`,
      `${median(ours).toFixed(0)} (${range(ours)})`,
      `${median(ratios(ours, bare)).toFixed(2)} (${range(ratios(ours, bare), 2)})`,
    ])
}
