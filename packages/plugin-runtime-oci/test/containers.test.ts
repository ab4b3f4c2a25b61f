import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { eventually } from '@continuo/testkit'
import type { ContainerSpec, SandboxSpec } from '@continuo/workload'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { busyboxArchive, missing, OciMachine } from './machine.ts'

const sandboxSpec = (uid: string, more: Partial<SandboxSpec> = {}): SandboxSpec => ({
  ...{
    uid,
    namespace: 'default',
    name: uid,
    hostname: uid,
    hostNetwork: false,
    shareProcessNamespace: false,
    hostPid: false,
    hostIpc: false,
  },
  ...{ sysctls: {}, hostAliases: [], ports: [], labels: {}, annotations: {}, resources: {}, ...more },
})

const security: ContainerSpec['security'] = {
  ...{ supplementalGroups: [], privileged: false, readOnlyRootFilesystem: false, allowPrivilegeEscalation: true },
  ...{ addCapabilities: [], dropCapabilities: [] },
}

const containerSpec = (sandbox: string, script: string, more: Partial<ContainerSpec> = {}): ContainerSpec => ({
  ...{ sandbox, name: 'main', attempt: 0, kind: 'main', image: 'tool:1', command: ['sh', '-c', script], args: [], env: [], mounts: [] },
  ...{ devices: [], resources: {}, security, stdin: false, stdinOnce: false, tty: false, log: { maxBytes: 1e6, maxFiles: 2 }, labels: {} },
  ...{ hash: 'hash', ...more },
})

describe.skipIf(missing)(`containers on crun${missing === undefined ? '' : ` (${missing})`}`, () => {
  let machine: OciMachine
  let count = 0
  beforeAll(() => {
    machine = new OciMachine()
    const top = (root: string): void => {
      mkdirSync(join(root, 'etc'))
      writeFileSync(join(root, 'etc', '.wh.old'), '')
      writeFileSync(join(root, 'etc', 'new'), 'new\n')
    }
    busyboxArchive(machine.images, 'docker.io/library/tool:1', top, { User: 'web', WorkingDir: '/tmp' })
  })
  afterAll(() => machine?.close())

  async function start(script: string, more: Partial<ContainerSpec> = {}, sandbox: Partial<SandboxSpec> = {}): Promise<string> {
    const uid = `pod-${count++}`
    await machine.runtime.ensureSandbox(sandboxSpec(uid, sandbox))
    await machine.runtime.ensureContainer(containerSpec(uid, script, more))
    return uid
  }
  const state = async (uid: string) => (await machine.runtime.list()).find((sandbox) => sandbox.uid === uid)?.containers.at(-1)
  const ended = (uid: string) =>
    eventually(async () => ((found) => (found?.state === 'exited' ? found : undefined))(await state(uid)), `the end of ${uid}`)
  async function text(work: (out: PassThrough) => Promise<unknown>): Promise<string> {
    const out = new PassThrough()
    const chunks: Buffer[] = []
    out.on('data', (chunk: Buffer) => chunks.push(chunk))
    await work(out)
    return Buffer.concat(chunks).toString()
  }
  /** What a container wrote in its whole life. */
  async function output(script: string, more: Partial<ContainerSpec> = {}, sandbox: Partial<SandboxSpec> = {}): Promise<string> {
    const uid = await start(script, more, sandbox)
    await ended(uid)
    const options = { follow: false, previous: false, timestamps: false }
    return text((out) => machine.runtime.logs({ sandbox: uid, name: 'main' }, options, out, AbortSignal.timeout(5_000)))
  }
  const root = { ...security, user: 0, group: 0 }

  test('see the image’s files, user, groups, directory and variables; what an upper layer removed is gone', async () => {
    const script = 'id; pwd; echo $FROM $EXTRA $HOME; cat /etc/new; ls /etc/old'
    expect(await output(script, { env: [{ name: 'EXTRA', value: 'mine' }] })).toBe(
      'uid=101(web) gid=102(web) groups=103(extra)\n/tmp\nimage mine /srv\nnew\nls: /etc/old: No such file or directory\n',
    )
  })

  test('have the host name, hosts and resolv.conf of their pod, and write to no image', async () => {
    const dns = { nameservers: ['10.0.0.10'], searches: ['a.example', 'b.example'], options: ['ndots:5'] }
    const hostAliases = [{ ip: '10.1.1.1', hostnames: ['one', 'two'] }]
    const seen = await output('hostname; cat /etc/resolv.conf /etc/hosts; echo x > /etc/new', { security: root }, { dns, hostAliases })
    expect(seen).toMatch(/^pod-\d+\nnameserver 10.0.0.10\nsearch a.example b.example\noptions ndots:5\n/)
    expect(seen).toContain('10.1.1.1\tone\ttwo\n')
    expect(await output('cat /etc/new')).toBe('new\n')
  })

  test('are limited as they say: root file system, capabilities, privileges, seccomp, sysctls', async () => {
    const readOnly = { ...root, readOnlyRootFilesystem: true }
    expect(await output('touch /x 2>&1', { security: readOnly })).toContain('Read-only file system')
    const status = await output('cat /proc/self/status', {
      security: { ...root, dropCapabilities: ['ALL'], addCapabilities: ['NET_BIND_SERVICE'], allowPrivilegeEscalation: false },
    })
    expect(status).toMatch(/CapEff:\t0*400\n/)
    expect(status).toMatch(/NoNewPrivs:\t1/)
    const mounting = (type: 'RuntimeDefault' | 'Unconfined'): Promise<string> =>
      output('mount -t tmpfs x /tmp 2>&1 && echo mounted', { security: { ...root, addCapabilities: ['SYS_ADMIN'], seccomp: { type } } })
    expect(await mounting('Unconfined')).toBe('mounted\n')
    expect(await mounting('RuntimeDefault')).toContain('permission denied')
    const sysctls = { 'net.ipv4.ip_local_port_range': '20000 20100' }
    expect(await output('cat /proc/sys/net/ipv4/ip_local_port_range', {}, { sysctls })).toBe('20000\t20100\n')
  })

  test('see volumes at their paths, and may write where they are not read-only', async () => {
    const volume = join(machine.directory, 'volume')
    mkdirSync(volume)
    writeFileSync(join(volume, 'key'), 'value\n')
    const mount = { name: 'v', hostPath: volume, propagation: 'None' as const }
    const mounts = [
      { ...mount, containerPath: '/data/ro', readOnly: true },
      { ...mount, containerPath: '/data/rw', readOnly: false },
    ]
    expect(await output('cat /data/ro/key; echo new > /data/rw/other; touch /data/ro/x 2>&1', { mounts, security: root })).toContain(
      'value\n',
    )
    expect(readFileSync(join(volume, 'other'), 'utf8')).toBe('new\n')
  })

  test('tell that they were killed for want of memory, also to the next agent', async () => {
    const uid = await start('tail /dev/zero', { resources: { memoryLimit: 32 * 1024 * 1024 } })
    expect(await ended(uid)).toMatchObject({ exitCode: 137, oomKilled: true })
    machine.restart()
    expect(await state(uid)).toMatchObject({ exitCode: 137, oomKilled: true })
    const other = await start('kill -9 $$; sleep 600')
    await machine.runtime.stop({ sandbox: other, name: 'main' }, 0)
    expect((await ended(other)).oomKilled).toBeUndefined()
  })

  test('use what they use, and get other limits while they run', async () => {
    const uid = await start('while :; do sleep 0.1; done', { resources: { memoryLimit: 64 * 1024 * 1024 } })
    const main = { sandbox: uid, name: 'main' }
    const [sample] = await machine.runtime.stats(uid)
    expect(sample?.cpuNanoseconds).toBeGreaterThan(0)
    expect(sample?.memoryWorkingSetBytes).toBeGreaterThan(0)
    await machine.runtime.updateResources(main, { memoryLimit: 128 * 1024 * 1024, cpuLimit: 0.5 })
    const file = join('/sys/fs/cgroup/memory', machine.cgroup, uid, 'main.0', 'memory.limit_in_bytes')
    if (readFileSync('/proc/self/cgroup', 'utf8').includes(':memory:')) expect(Number(readFileSync(file, 'utf8'))).toBe(128 * 1024 * 1024)
  })

  test('run commands on a terminal of the asked size', async () => {
    const uid = await start('while :; do sleep 0.1; done')
    const seen = await text((stdout) =>
      machine.runtime.exec(
        { sandbox: uid, name: 'main' },
        ['sh', '-c', 'sleep 0.2; stty size; id -u'],
        {
          stdin: new PassThrough(),
          stdout,
          tty: true,
          resize: (async function* () {
            yield { width: 101, height: 33 }
          })(),
        },
        AbortSignal.timeout(5_000),
      ),
    )
    expect(seen).toContain('33 101')
    expect(seen).toContain('101\r\n')
  })

  test('are reached by port-forward at their loopback address', async () => {
    const uid = await start('while :; do echo hello | nc -l -p 8080; done')
    const said = await eventually(async () => {
      const connection = await machine.runtime.portForward(uid, 8_080, AbortSignal.timeout(5_000))
      for await (const chunk of connection) return String(chunk)
      return undefined
    }, 'a connection')
    expect(said).toBe('hello\n')
    await expect(machine.runtime.portForward(uid, 81, AbortSignal.timeout(5_000))).rejects.toThrow('connection refused')
  })
})
