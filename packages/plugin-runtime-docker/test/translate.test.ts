import { describe, expect, it } from 'vitest'
import { containerState } from '../src/container-state.ts'
import { containerStats } from '../src/container-stats.ts'
import { fromImage } from '../src/images/images.ts'
import { containerName, sandboxName } from '../src/labels.ts'
import { PodCgroups } from '../src/pod-cgroups.ts'
import { changedResources, hostResources } from '../src/translate/resources.ts'

const MiB = 1024 * 1024

describe('limits', () => {
  it('become shares, a quota and memory without swap', () => {
    expect(hostResources({})).toEqual({ CpuShares: 2 })
    expect(hostResources({ cpuRequest: 0.5, cpuLimit: 1.5, memoryLimit: 64 * MiB })).toEqual({
      CpuShares: 512,
      CpuPeriod: 100_000,
      CpuQuota: 150_000,
      Memory: 64 * MiB,
      MemorySwap: 64 * MiB,
    })
    expect(hostResources({ cpuLimit: 0.001 })).toMatchObject({ CpuShares: 2, CpuQuota: 1_000 })
  })

  it('are lifted expressly when they are gone', () => {
    expect(changedResources({ cpuRequest: 1 })).toEqual({
      CpuShares: 1024,
      CpuPeriod: 100_000,
      CpuQuota: -1,
      Memory: 2 ** 47,
      MemorySwap: 2 ** 47,
    })
  })
})

describe('names', () => {
  it('of two owners never meet', () => {
    expect(sandboxName('one', 'u')).not.toBe(sandboxName('two', 'u'))
    expect(containerName('one', 'u', 'main', 1)).toBe(`${sandboxName('one', 'u')}_main_1`)
  })

  it('of control groups are paths, or slices with systemd', () => {
    expect(new PodCgroups('continuo', 'cgroupfs').parentOf('a-b')).toBe('/continuo/poda-b')
    expect(new PodCgroups('my-pods', 'systemd').parentOf('a-b')).toBe('my_pods-poda_b.slice')
  })

  it('of images are taken apart for a pull', () => {
    expect(fromImage('nginx')).toEqual({ fromImage: 'nginx', tag: 'latest' })
    expect(fromImage('host:5000/a/nginx')).toEqual({ fromImage: 'host:5000/a/nginx', tag: 'latest' })
    expect(fromImage('host:5000/a/nginx:1')).toEqual({ fromImage: 'host:5000/a/nginx', tag: '1' })
    expect(fromImage('nginx:1@sha256:00')).toEqual({ fromImage: 'nginx:1@sha256:00' })
  })
})

describe('what the daemon says of a container', () => {
  const said = (state: object) =>
    containerState({
      Id: 'id',
      Image: 'sha256:1',
      Created: '2026-01-01T00:00:00.5Z',
      Config: { Labels: {} },
      State: {
        Status: 'exited',
        StartedAt: '2026-01-01T00:00:01Z',
        FinishedAt: '2026-01-01T00:00:02Z',
        ExitCode: 0,
        OOMKilled: false,
        Error: '',
        ...state,
      },
    } as never)

  it('is out of memory only with both signs of it', () => {
    expect(said({ ExitCode: 137, OOMKilled: true }).oomKilled).toBe(true)
    expect(said({ ExitCode: 137 }).oomKilled).toBeUndefined()
    expect(said({ ExitCode: 3, OOMKilled: true }).oomKilled).toBeUndefined()
  })

  it('did not end before it began, however quick it was', () => {
    const quick = said({ StartedAt: '2026-01-01T00:00:01.2Z', FinishedAt: '2026-01-01T00:00:01.1Z' })
    expect(quick.finishedAt).toBe(quick.startedAt)
  })

  it('has no times of what did not happen', () => {
    const never = '0001-01-01T00:00:00Z'
    expect(said({ Status: 'created', StartedAt: never, FinishedAt: never })).not.toHaveProperty('startedAt')
    expect(said({ Status: 'running', FinishedAt: never })).toMatchObject({
      state: 'running',
      createdAt: Date.parse('2026-01-01T00:00:00.5Z'),
    })
    expect(said({ Status: 'running' })).not.toHaveProperty('exitCode')
  })

  it('is measured under both versions of control groups', () => {
    const sample = (memory_stats: object) =>
      ({ read: '2026-01-01T00:00:00Z', cpu_stats: { cpu_usage: { total_usage: 5 } }, memory_stats }) as never
    const first = containerStats('a', sample({ usage: 100, stats: { total_inactive_file: 30, total_rss: 50, rss: 1 } }))
    const second = containerStats('a', sample({ usage: 100, stats: { inactive_file: 30, anon: 50 } }))
    expect(first).toEqual({
      container: 'a',
      time: Date.parse('2026-01-01T00:00:00Z'),
      cpuNanoseconds: 5,
      memoryWorkingSetBytes: 70,
      memoryRssBytes: 50,
    })
    expect(second).toEqual(first)
    expect(containerStats('a', sample({}))).toBeUndefined()
  })
})
