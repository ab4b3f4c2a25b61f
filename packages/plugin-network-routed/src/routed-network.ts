import { join, resolve } from 'node:path'
import { type Clock, type Log, withDeadline } from '@continuo/core'
import { type PodAttachment, type PodNetwork, type PodNetworkRequest, RuntimeError } from '@continuo/workload'
import { AddressPool, type AddressRange } from './address-pool.ts'
import { type Attachment, AttachmentRecords } from './attachment-records.ts'
import { Kernel } from './kernel.ts'
import { NamespaceDirectory, namespaceInode } from './namespace-directory.ts'
import { packetRules } from './packet-rules.ts'
import { Turns } from './turns.ts'
import { isLinkName, linkName, wire } from './wiring.ts'

export interface RoutedNetworkOptions {
  readonly directory: string
  /** Path of the node's network namespace; undefined: that of this process. */
  readonly netns?: string
  readonly mtu: number
  readonly table: string
  readonly rangeWaitMs: number
  readonly clock: Clock
  readonly log: Log
}

/** What can be changed in the kernel only by one at a time. */
const rulesTurn = 'rules'

/**
 * A pod network without a bridge: each pod has a pair of interfaces of its own, and the node a route to each pod. What must survive the agent
 * is on disk and in the kernel; a new instance on the same directory takes all of it over. Two live instances must not share a directory.
 */
export class RoutedNetwork implements PodNetwork {
  readonly kernel: Kernel
  readonly #options: RoutedNetworkOptions
  readonly #records: AttachmentRecords
  readonly #namespaces: NamespaceDirectory
  readonly #addresses = new AddressPool()
  readonly #attachments = new Map<string, Attachment>()
  readonly #turns = new Turns()
  readonly #ranged = Promise.withResolvers<void>()
  #clusterRanges: readonly string[] = []
  #rules = ''
  #opened: Promise<void> | undefined

  constructor(options: RoutedNetworkOptions) {
    const directory = resolve(options.directory)
    this.#options = options
    this.kernel = new Kernel(options.netns)
    this.#records = new AttachmentRecords(join(directory, 'pods'), options.log)
    this.#namespaces = new NamespaceDirectory(join(directory, 'netns'), this.kernel)
  }

  /** Where addresses come from, from now on. Pods wait for the first call. */
  async setRanges(ranges: readonly AddressRange[]): Promise<void> {
    this.#addresses.setRanges(ranges)
    if (ranges.length === 0) return
    // The search goes on behind what is in use.
    for (const { ip } of this.#attachments.values()) this.#addresses.claim(ip)
    this.#ranged.resolve()
    await this.#syncRules()
  }

  /** Destinations that see the pods' own addresses, beside the node's own ranges. */
  async setClusterRanges(ranges: readonly string[]): Promise<void> {
    this.#clusterRanges = ranges
    await this.#syncRules()
  }

  async attach(request: PodNetworkRequest): Promise<PodAttachment> {
    await this.open()
    return this.#turns.take(request.uid, async () => {
      const known = this.#attachments.get(request.uid)
      if (known !== undefined && (await this.#stands(known, request))) return { ips: [known.ip], netns: known.netns }
      const record = await this.#record(request, known)
      await this.#connect(record, known !== undefined)
      if (record.hostPorts.length > 0 || (known?.hostPorts.length ?? 0) > 0) await this.#syncRules()
      return { ips: [record.ip], netns: record.netns }
    })
  }

  async detach(uid: string): Promise<void> {
    await this.open()
    await this.#turns.take(uid, async () => {
      const known = this.#attachments.get(uid)
      await this.kernel.tryBatch([`link del ${linkName(uid)}`])
      await this.#namespaces.remove(this.#namespaces.path(uid))
      if (known === undefined) return
      this.#attachments.delete(uid)
      if (known.hostPorts.length > 0) await this.#syncRules()
      await this.#records.remove(uid)
      // Last: nobody may have the address while anything still leads to the pod before.
      this.#addresses.release(known.ip)
    })
  }

  async attached(): Promise<readonly string[]> {
    await this.open()
    return [...this.#attachments.keys()]
  }

  /** Takes over what is there, removes what belongs to nobody. Once; called by itself at the first use. */
  open(): Promise<void> {
    this.#opened ??= this.#restore().catch((error: unknown) => {
      this.#opened = undefined
      throw error
    })
    return this.#opened
  }

  /** Writes the table of rules anew when somebody else changed or removed it. */
  async mend(): Promise<void> {
    this.#rules = ''
    await this.#syncRules()
  }

  /** Removes everything: pods, interfaces, namespaces, rules. */
  async clear(): Promise<void> {
    for (const uid of await this.attached()) await this.detach(uid)
    await this.kernel.run(['nft', '-f', '-'], `add table ip ${this.#options.table}\ndelete table ip ${this.#options.table}\n`)
    this.#rules = ''
  }

  async #restore(): Promise<void> {
    for (const record of await this.#records.load()) {
      this.#attachments.set(record.uid, record)
      this.#addresses.claim(record.ip)
    }
    const ours = new Set([...this.#attachments.values()].map(({ link }) => link))
    const strays = [...(await this.kernel.links())].filter((name) => isLinkName(name) && !ours.has(name))
    await this.kernel.tryBatch(strays.map((name) => `link del ${name}`))
    await this.#namespaces.keepOnly(new Set([...this.#attachments.values()].filter(({ own }) => own).map(({ netns }) => netns)))
    await this.kernel.run(['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'])
    await this.#syncRules()
  }

  /** Whether the sandbox is connected as asked. */
  async #stands(known: Attachment, request: PodNetworkRequest): Promise<boolean> {
    if (known.inode === undefined || known.netns !== (request.netns ?? this.#namespaces.path(request.uid))) return false
    if (JSON.stringify(known.hostPorts) !== JSON.stringify(request.hostPorts ?? [])) return false
    // An interface lives as long as the namespace of its other end: together they tell that nothing was replaced.
    return (await namespaceInode(known.netns)) === known.inode && (await this.kernel.links()).has(known.link)
  }

  /** Written down before the kernel hears of it: whatever breaks off, the address is known to be taken. */
  async #record(request: PodNetworkRequest, known: Attachment | undefined): Promise<Attachment> {
    const { uid, namespace, name, netns, hostPorts = [] } = request
    if (known === undefined) await this.#haveRange()
    const record: Attachment = {
      uid,
      namespace,
      name,
      ip: known?.ip ?? this.#addresses.allocate(),
      link: linkName(uid),
      netns: netns ?? this.#namespaces.path(uid),
      own: netns === undefined,
      hostPorts,
    }
    try {
      await this.#records.save(record)
    } catch (error) {
      if (known === undefined) this.#addresses.release(record.ip)
      throw error
    }
    this.#attachments.set(uid, record)
    return record
  }

  /** @param again Something of an earlier connection may be there. Of a new pod nothing is: `open` has removed what belonged to nobody. */
  async #connect(record: Attachment, again: boolean): Promise<void> {
    const { link, ip, netns, own } = record
    const { inside, outside } = wire({ link, ip, mtu: this.#options.mtu, nodeNetns: this.#options.netns ?? String(process.pid) })
    if (again && (await this.kernel.links()).has(link)) await this.kernel.tryBatch([`link del ${link}`])
    const mounted = again && own && (await this.#namespaces.mounted()).has(netns)
    if (own && !mounted) await this.#namespaces.prepare(netns)
    const enter = own && !mounted ? ['unshare', `--net=${netns}`] : ['nsenter', `--net=${netns}`]
    await this.kernel.run([...enter, 'ip', '-batch', '-'], inside.map((line) => `${line}\n`).join(''))
    await this.kernel.batch(outside)
    // Connections from the node's loopback address to a port of the node leave by this interface.
    if (record.hostPorts.length > 0) await this.kernel.run(['sh', '-c', `echo 1 > /proc/sys/net/ipv4/conf/${link}/route_localnet`])
    const inode = await namespaceInode(netns)
    const connected = { ...record, ...(inode === undefined ? {} : { inode }) }
    this.#attachments.set(record.uid, connected)
    await this.#records.save(connected)
  }

  async #haveRange(): Promise<void> {
    if (this.#addresses.ranges.length > 0) return
    try {
      await withDeadline(
        this.#options.clock,
        this.#options.rangeWaitMs,
        "the wait for the node's range of pod addresses",
        () => this.#ranged.promise,
      )
    } catch (cause) {
      throw new RuntimeError('RUNTIME_UNAVAILABLE', 'the node has no range of pod addresses yet', {
        cause,
        hint: 'add @continuo/plugin-controllers#nodeIpam to the control plane, set spec.podCIDR of the node, or podRanges of the network',
      })
    }
  }

  #syncRules(): Promise<void> {
    return this.#turns.take(rulesTurn, async () => {
      const rules = packetRules({
        table: this.#options.table,
        podRanges: this.#addresses.ranges.map(({ cidr }) => cidr),
        clusterRanges: this.#clusterRanges,
        ports: [...this.#attachments.values()].flatMap(({ ip, hostPorts }) => hostPorts.map((port) => ({ ...port, ip }))),
      })
      if (rules === this.#rules) return
      await this.kernel.run(['nft', '-f', '-'], rules)
      this.#rules = rules
    })
  }
}
