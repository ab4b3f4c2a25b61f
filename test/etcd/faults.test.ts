import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EtcdStore } from '../../packages/plugin-store-etcd/src/index.ts'
import { type Etcd, type EtcdMember, etcdMissing, etcdNote, startEtcd } from '../support/etcd.ts'
import { faultsOf, pause, Witness } from './witness.ts'

/** Full: `ETCD_FAULTS=100`; a failing run again: `ETCD_SEED=…`; some faults alone: `ETCD_FAULT='of all'`. */
const rounds = Number(process.env.ETCD_FAULTS ?? 5)
const seed = Number(process.env.ETCD_SEED ?? 20_261_121)

/** mulberry32 */
function seeded(start: number): (below: number) => number {
  let state = start
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

interface Fault {
  readonly name: string
  /** Breaks something; resolves when it is whole again. */
  run(etcd: Etcd, random: (below: number) => number): Promise<void>
}

const someMember = (etcd: Etcd, random: (below: number) => number): EtcdMember => etcd.members[random(etcd.members.length)] as EtcdMember

async function killAndStart(members: readonly EtcdMember[], ms: number): Promise<void> {
  await Promise.all(members.map((member) => member.kill()))
  await pause(ms)
  for (const member of members) member.start()
}

async function pauseAndResume(member: EtcdMember, ms: number): Promise<void> {
  member.pause()
  await pause(ms)
  member.resume()
}

const allFaults: readonly Fault[] = [
  { name: 'kill -9 of the leader', run: async (etcd, random) => killAndStart([await etcd.leader()], 500 + random(2_000)) },
  { name: 'SIGSTOP of the leader', run: async (etcd, random) => pauseAndResume(await etcd.leader(), 3_000 + random(5_000)) },
  { name: 'kill -9 of all members', run: (etcd, random) => killAndStart(etcd.members, random(1_500)) },
  { name: 'kill -9 of a member', run: (etcd, random) => killAndStart([someMember(etcd, random)], 500 + random(2_000)) },
  { name: 'SIGSTOP of a member', run: (etcd, random) => pauseAndResume(someMember(etcd, random), 1_000 + random(8_000)) },
]

const faults = allFaults.filter(({ name }) => new RegExp(process.env.ETCD_FAULT ?? '').test(name))

describe.skipIf(etcdMissing !== undefined)(`three members of etcd under faults${etcdNote}`, () => {
  let etcd: Etcd
  beforeAll(async () => {
    etcd = await startEtcd({ members: 3 })
  })
  afterAll(() => etcd?.stop())

  it(
    `loses no acknowledged write, applies nothing that was refused, and shows each revision once, over ${rounds} faults (seed ${seed})`,
    async () => {
      const random = seeded(seed)
      const totals = { acknowledged: 0, refused: 0, unknown: 0, longestGapMs: 0 }
      for (let round = 0; round < rounds; round++) {
        const fault = faults[round % faults.length] as Fault
        const store = new EtcdStore({ endpoints: etcd.endpoints, prefix: `faults-${round}:` })
        const witness = new Witness(store, '/')
        await witness.start(6)
        await pause(300)
        await fault.run(etcd, random)
        const began = performance.now()
        await etcd.healthy()
        const healthyMs = performance.now() - began
        const before = witness.count
        await expect.poll(() => witness.count, { timeout: 15_000 }).toBeGreaterThan(before + 50)
        const testimony = await witness.finish()
        expect(faultsOf(testimony), `round ${round}: ${fault.name}`).toEqual([])
        totals.acknowledged += testimony.acknowledged.length
        totals.refused += testimony.refused.length
        totals.unknown += testimony.unknown.length
        totals.longestGapMs = Math.max(totals.longestGapMs, testimony.longestGapMs)
        await store.close()
        console.log(
          `${fault.name}: ${testimony.acknowledged.length} acknowledged, ${testimony.refused.length} refused, ${testimony.unknown.length} unknown, longest gap ${Math.round(testimony.longestGapMs)} ms; etcd itself was back ${Math.round(healthyMs)} ms after the fault`,
        )
      }
      console.log(JSON.stringify({ rounds, seed, ...totals, longestGapMs: Math.round(totals.longestGapMs) }))
      expect(totals.acknowledged).toBeGreaterThan(rounds * 50)
    },
    60_000 + rounds * 30_000,
  )
})
