import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { ContainerSpec, MountSpec, SecuritySpec } from '@continuo/workload'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Docker, dockerMissing, dockerNote, startDocker } from '../support/docker.ts'
import { eventually } from '../support/eventually.ts'
import { collect, containerSpec, Pods, sandboxSpec } from './harness.ts'

const idle = "trap 'exit 0' TERM; while :; do sleep 0.05; done"

describe.skipIf(dockerMissing !== undefined)(`pods on a real dockerd${dockerNote}`, () => {
  let docker: Docker
  let pods: Pods
  beforeAll(async () => {
    docker = await startDocker()
    pods = new Pods(docker)
  })
  afterEach(() => pods?.clear())
  afterAll(() => docker?.stop())

  const security = (more: Partial<SecuritySpec>): Pick<ContainerSpec, 'security'> => ({
    security: { ...containerSpec(docker, '', '').security, ...more },
  })
  const mount = (hostPath: string, containerPath: string, more: Partial<MountSpec> = {}): MountSpec => ({
    name: 'v',
    hostPath,
    containerPath,
    readOnly: false,
    propagation: 'None',
    ...more,
  })

  it('gives all containers of a pod one host name, one network, one memory to share, and its names', async () => {
    const surroundings = {
      hostname: 'web-0',
      hostAliases: [{ ip: '10.9.8.7', hostnames: ['one.example', 'two.example'] }],
      dns: { nameservers: ['10.1.2.3'], searches: ['a.example', 'b.example'], options: ['ndots:5'] },
      sysctls: { 'net.ipv4.ip_unprivileged_port_start': '77', 'kernel.shm_rmid_forced': '1' },
    }
    const { ips } = await pods.runtime.ensureSandbox(sandboxSpec('a', surroundings))
    await pods.run('a', `echo shared > /dev/shm/x; httpd -p 127.0.0.1:4000 -h /etc; ${idle}`, { name: 'one' })
    const look = 'hostname; cat /etc/resolv.conf /etc/hosts /dev/shm/x /proc/sys/net/ipv4/ip_unprivileged_port_start; ip addr'
    await pods.run('a', idle, { name: 'two' })
    const { out } = await pods.exec('a', look, 'two')
    for (const text of ['web-0', 'nameserver 10.1.2.3', 'search a.example b.example', 'ndots:5', 'shared', '77', ips[0] as string])
      expect(out).toContain(text)
    expect(out).toMatch(/10\.9\.8\.7\s+one\.example/)
    expect(out).toMatch(/10\.9\.8\.7\s+two\.example/)
    await eventually(async () => expect((await pods.exec('a', 'wget -q -O - http://127.0.0.1:4000/passwd', 'two')).out).toContain('web:x'))
  })

  it('shares processes when the pod says so, and with an ephemeral container that names a target', async () => {
    await pods.run('a', idle, { name: 'one' }, { shareProcessNamespace: true })
    await pods.run('a', idle, { name: 'two' })
    expect((await pods.exec('a', 'ps', 'two')).out).toMatch(/\/pause[\s\S]*trap[\s\S]*trap/)
    await pods.run('b', `: marker; ${idle}`, { name: 'one' })
    await pods.run('b', idle, { name: 'two' })
    expect((await pods.exec('b', 'ps', 'two')).out).not.toContain('marker')
    await pods.run('b', idle, { name: 'debug', kind: 'ephemeral', targetContainer: 'one' })
    expect((await pods.exec('b', 'ps', 'debug')).out).toContain('marker')
    expect(await pods.state('b', 'debug')).toMatchObject({ kind: 'ephemeral', state: 'running' })
  })

  it('sets limits, changes them while the container runs, and lifts them', async () => {
    const limits = { cpuRequest: 0.25, cpuLimit: 0.5, memoryLimit: 64 * 1024 * 1024 }
    const { id } = await pods.run('a', idle, { resources: limits })
    const seen = async () => {
      const { HostConfig } = (await docker.api('GET', `/containers/${id}/json`)) as { HostConfig: Record<string, number> }
      return [HostConfig.CpuShares, HostConfig.CpuQuota, HostConfig.Memory]
    }
    expect(await seen()).toEqual([256, 50_000, 67_108_864])
    const one = { sandbox: 'a', name: 'main' }
    await pods.runtime.updateResources(one, { cpuRequest: 1, cpuLimit: 2, memoryLimit: 128 * 1024 * 1024 })
    expect(await seen()).toEqual([1024, 200_000, 134_217_728])
    await pods.runtime.updateResources(one, {})
    expect(await seen()).toEqual([2, -1, 2 ** 47])
    expect(await pods.state('a')).toMatchObject({ id, state: 'running' })
    await expect(pods.runtime.updateResources(one, { memoryLimit: 1 })).rejects.toMatchObject({ code: 'RUNTIME_INVALID_SPEC' })
  })

  it('runs as the user, the groups and with the rights that the pod asks for', async () => {
    const who = 'id -u; id -g; id -G; grep -E "CapEff|NoNewPrivs" /proc/self/status; touch /x 2>&1'
    const strict = { user: 1234, group: 2345, supplementalGroups: [3456], readOnlyRootFilesystem: true, allowPrivilegeEscalation: false }
    const out = await pods.output('a', who, security(strict))
    expect(out).toMatch(/^1234\n2345\n2345 3456\n/)
    expect(out).toMatch(/NoNewPrivs:\s+1/)
    expect(out).toContain('Read-only file system')
    const capabilities = { dropCapabilities: ['ALL'], addCapabilities: ['NET_BIND_SERVICE', 'SYS_TIME'] }
    expect(await pods.output('b', who, security(capabilities))).toMatch(/CapEff:\s+0000000002000400/)
    expect(await pods.output('c', who, security({ group: 77 }))).toMatch(/^0\n77\n/)
  })

  it('applies seccomp profiles of the node, and says which one is missing', async () => {
    const root = join(docker.directory, 'seccomp')
    mkdirSync(root, { recursive: true })
    const profile = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }] }
    writeFileSync(join(root, 'no-mkdir.json'), JSON.stringify(profile))
    const { DockerRuntime, runtimeDockerConfig } = await import('@continuo/plugin-runtime-docker')
    const { silentLog, systemClock } = await import('@continuo/core')
    const config = runtimeDockerConfig.parse({ socket: docker.socket, cgroupParent: docker.cgroupParent, seccompProfiles: root })
    const own = new Pods(
      docker,
      new DockerRuntime({ config: { ...config, owner: 'suite' }, clock: systemClock, log: silentLog, hostAddress: () => '' }),
    )
    const named = (localhostProfile: string) => security({ seccomp: { type: 'Localhost', localhostProfile } })
    expect(await own.output('a', 'mkdir /tmp/x 2>&1', named('no-mkdir.json'))).toContain('Operation not permitted')
    for (const bad of ['none.json', '../escape.json'])
      await expect(own.run('a', idle, { ...named(bad), name: 'bad' })).rejects.toMatchObject({ code: 'RUNTIME_INVALID_SPEC' })
    expect(await own.output('b', 'grep Seccomp: /proc/self/status', security({ seccomp: { type: 'Unconfined' } }))).toMatch(/0$/)
    expect(await own.output('c', 'grep Seccomp: /proc/self/status')).toMatch(/2$/)
  })

  it('mounts volumes, read-only when asked, and shows what is swapped under them', async () => {
    const volume = mkdtempSync(join(docker.directory, 'volume-'))
    mkdirSync(join(volume, 'v1'))
    writeFileSync(join(volume, 'v1', 'key'), 'old')
    symlinkSync('v1', join(volume, '..data'))
    symlinkSync('..data/key', join(volume, 'key'))
    const shared = mkdtempSync(join(docker.directory, 'volume-'))
    await pods.run('a', idle, { mounts: [mount(volume, '/config', { readOnly: true }), mount(shared, '/shared')] })
    expect(await pods.exec('a', 'cat /config/key; echo mine > /shared/x; echo x > /config/y')).toMatchObject({ code: 1 })
    expect(readFileSync(join(shared, 'x'), 'utf8')).toBe('mine\n')
    mkdirSync(join(volume, 'v2'))
    writeFileSync(join(volume, 'v2', 'key'), 'new')
    symlinkSync('v2', join(volume, '..next'))
    renameSync(join(volume, '..next'), join(volume, '..data'))
    rmSync(join(volume, 'v1'), { recursive: true })
    expect((await pods.exec('a', 'cat /config/key')).out).toBe('new')
    await expect(pods.run('a', idle, { name: 'bad', mounts: [mount('/does/not/exist', '/x')] })).rejects.toMatchObject({
      code: 'RUNTIME_INVALID_SPEC',
      message: expect.stringContaining('/does/not/exist'),
    })
  })

  it('tells a container that had too little memory from one that was killed', async () => {
    await pods.run('a', 'tail /dev/zero', { command: ['tail', '/dev/zero'], resources: { memoryLimit: 16 * 1024 * 1024 } })
    expect(await pods.ended('a')).toMatchObject({ exitCode: 137, oomKilled: true, message: expect.stringContaining('memory') })
    await pods.run('b', 'kill -9 $$; sleep 5', {
      command: ['sh', '-c', 'sh -c "tail /dev/zero"; exit 3'],
      resources: { memoryLimit: 16 * 1024 * 1024 },
    })
    const survived = await pods.ended('b')
    expect([survived.exitCode, survived.oomKilled]).toEqual([3, undefined])
    await pods.run('c', idle)
    await pods.runtime.stop({ sandbox: 'c', name: 'main' }, 0)
    const killed = await pods.ended('c')
    expect([killed.exitCode, killed.oomKilled]).toEqual([137, undefined])
  })

  it('turns logs over, and puts one time before a long line', async () => {
    const rotating = 'i=0; while [ $i -lt 3000 ]; do echo "line $i of a log that is turned over"; i=$((i+1)); done'
    await pods.run('a', rotating, { log: { maxBytes: 50_000, maxFiles: 2 } })
    await pods.ended('a')
    const lines = (await pods.logs('a')).trimEnd().split('\n')
    expect(lines.at(-1)).toBe('line 2999 of a log that is turned over')
    expect(lines.length).toBeLessThan(2_000)
    expect(lines.length).toBeGreaterThan(100)
    await pods.run('b', 'head -c 50000 /dev/zero | tr "\\0" x; echo; echo end')
    await pods.ended('b')
    const [long = '', end = ''] = (await pods.logs('b', { timestamps: true })).split('\n')
    expect(long).toMatch(/^\d{4}-\d\d-\d\dT\S+ x{50000}$/)
    expect(end).toMatch(/^\d{4}-\d\d-\d\dT\S+ end$/)
    expect((await pods.logs('b')).length).toBe(50_005)
  })

  it('forwards ports of the pod, of its loopback too, with both ends closed one by one', async () => {
    const content = 'x'.repeat(500_000)
    const serve = `mkdir /w; head -c 500000 /dev/zero | tr "\\0" x > /w/x; httpd -p 127.0.0.1:4000 -h /w; nc -ll -p 5000 -e cat & ${idle}`
    await pods.run('a', serve)
    await eventually(async () => expect((await pods.exec('a', 'netstat -ltn | grep -c LISTEN')).out).toBe('2'))
    const through = async (port: number, sent: string) => {
      const connection = await pods.runtime.portForward('a', port, AbortSignal.timeout(10_000))
      const text = collect(connection)
      connection.end(sent)
      return text
    }
    expect((await through(4000, 'GET /x HTTP/1.0\r\n\r\n')).endsWith(`\r\n\r\n${content}`)).toBe(true)
    expect((await through(5000, content)) === content).toBe(true)
    await expect(through(4001, '')).rejects.toThrow(/4001.*refused/)
  })

  it("gives a command a terminal of the client's size, whose changes it follows", async () => {
    await pods.run('a', idle)
    const [stdin, stdout] = [new PassThrough(), new PassThrough()]
    let seen = ''
    stdout.on('data', (chunk) => {
      seen += chunk
    })
    async function* sizes() {
      yield { width: 101, height: 41 }
      await eventually(() => expect(seen).toContain('first'))
      yield { width: 102, height: 42 }
    }
    const running = pods.runtime.exec(
      { sandbox: 'a', name: 'main' },
      ['sh'],
      { stdin, stdout, tty: true, resize: sizes() },
      AbortSignal.timeout(20_000),
    )
    stdin.write('until stty size | grep "41 101"; do sleep 0.05; done; echo fir""st\n')
    await eventually(() => expect(seen).toContain('first'))
    stdin.write('until stty size | grep "42 102"; do sleep 0.05; done; exit 7\n')
    expect(await running).toBe(7)
  })

  it('opens ports of the node for the pod', async () => {
    const ports = [
      { containerPort: 8080, hostPort: 18080, protocol: 'TCP' as const },
      { containerPort: 9090, protocol: 'TCP' as const },
    ]
    await pods.run('a', `mkdir /w; echo here > /w/x; httpd -p 8080 -h /w; ${idle}`, {}, { ports })
    const node = docker.hostAddress.replace(/1$/, '2')
    await eventually(async () => expect(await (await fetch(`http://${node}:18080/x`)).text()).toBe('here\n'))
  })

  it('ends a command whose client has left, and nothing else', async () => {
    await pods.run('a', idle)
    const leave = new AbortController()
    const running = pods.runtime.exec({ sandbox: 'a', name: 'main' }, ['sleep', '4242'], { tty: false }, leave.signal).catch(() => 'left')
    await eventually(async () => expect((await pods.exec('a', 'ps')).out).toContain('sleep 4242'))
    leave.abort()
    expect(await running).toBe('left')
    await eventually(async () => expect((await pods.exec('a', 'ps')).out).not.toContain('sleep 4242'))
    expect((await pods.state('a')).state).toBe('running')
  })

  it('keeps nothing of a container that could not start, and starts it when the cause has gone', async () => {
    const missing = { command: ['/not/there'] }
    await expect(pods.run('a', '', missing)).rejects.toMatchObject({
      code: 'RUNTIME_START_FAILED',
      message: expect.stringContaining('/not/there'),
    })
    expect((await pods.runtime.list())[0]?.containers).toEqual([])
    expect(await pods.run('a', idle)).toMatchObject({ state: 'running', attempt: 0 })
  })

  it('starts a container that was only made, and makes a sandbox again that was removed under it', async () => {
    const { id } = await pods.run('a', idle)
    const [sandbox] = await pods.runtime.list()
    await docker.api('DELETE', `/containers/${sandbox?.id}?force=1`)
    expect((await pods.runtime.list())[0]).toMatchObject({ uid: 'a', state: 'notready', ips: [] })
    await pods.runtime.removeSandbox('a')
    expect(await pods.runtime.list()).toEqual([])
    const again = await pods.run('a', idle)
    expect(again.id).not.toBe(id)
  })

  it('gives a pod the network, the host name and the processes of the node', async () => {
    const more = { hostNetwork: true, hostPid: true, hostIpc: true }
    const sandbox = await pods.runtime.ensureSandbox(sandboxSpec('a', more))
    expect(sandbox).toMatchObject({ state: 'ready', ips: ['127.0.0.1'] })
    expect(await pods.output('a', 'hostname; ps | grep -c dockerd', {}, more)).toMatch(
      new RegExp(`^${(await import('node:os')).hostname()}\\n[1-9]`),
    )
  })

  it('measures what runs, and leaves no control group of a pod that is gone', async () => {
    await pods.run('a', 'while :; do :; done', { resources: { cpuLimit: 0.2 } })
    const { cpuNanoseconds } = await eventually(async () => {
      const [sample] = await pods.runtime.stats('a')
      expect(sample?.cpuNanoseconds).toBeGreaterThan(10_000_000)
      return sample as { cpuNanoseconds: number }
    })
    expect(cpuNanoseconds).toBeLessThan(60_000_000_000)
    const groups = `/sys/fs/cgroup/memory/${docker.cgroupParent}`
    const { existsSync } = await import('node:fs')
    if (existsSync(groups)) expect(existsSync(join(groups, 'poda'))).toBe(true)
    await pods.clear()
    expect(existsSync(join(groups, 'poda'))).toBe(false)
  })
})
