import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { encodeSpec, parseExit, prepareShim } from '@continuo/lib-container-shim'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collect, eventually, Host, noNamespaces } from './harness.ts'

const volume = mkdtempSync(join(tmpdir(), 'continuo-volume-'))
chmodSync(volume, 0o777)
writeFileSync(join(volume, 'key'), 'value\n')
mkdirSync(join(volume, 'sub'))
afterAll(() => rmSync(volume, { recursive: true, force: true }))

const mount = (containerPath: string, readOnly = false, hostPath = volume) => ({
  name: 'v',
  hostPath,
  containerPath,
  readOnly,
  propagation: 'None' as const,
})

describe.for([{ namespaces: 'auto' }, { namespaces: 'off' }])('volumes with namespaces $namespaces', ({ namespaces }) => {
  let host: Host
  beforeAll(() => {
    host = new Host({ namespaces })
  })
  afterAll(() => host.close())

  test('are seen below $CONTINUO_ROOT', async () => {
    await host.run('v1', 'cat $CONTINUO_ROOT/etc/shop/config/key; echo new > $CONTINUO_ROOT/etc/shop/config/written', {
      mounts: [mount('/etc/shop/config/')],
    })
    expect((await host.ended('v1')).exitCode).toBe(0)
    expect(await host.logs('v1')).toBe('value\n')
    expect(readFileSync(join(volume, 'written'), 'utf8')).toBe('new\n')
  })

  test('come with the resolv.conf of the pod, unless the container has one of its own', async () => {
    const dns = { nameservers: ['127.96.0.10'], searches: ['svc.cluster.local'], options: ['ndots:5'] }
    await host.sandbox('dns', { dns })
    const path = namespaces === 'auto' && !noNamespaces ? '/etc/resolv.conf' : '$CONTINUO_ROOT/etc/resolv.conf'
    await host.run('dns', `cat ${path}`)
    await host.ended('dns')
    expect(await host.logs('dns')).toBe('search svc.cluster.local\nnameserver 127.96.0.10\noptions ndots:5\n')
    await host.run('dns', 'cat $CONTINUO_ROOT/etc/resolv.conf', {
      attempt: 1,
      mounts: [mount('/etc/resolv.conf', true, join(volume, 'key'))],
    })
    await host.ended('dns')
    expect(await host.logs('dns')).toBe('value\n')
  })

  test('survive the removal of the sandbox', async () => {
    await host.run('v2', 'true', { mounts: [mount('/data')] })
    await host.ended('v2')
    await host.runtime.removeSandbox('v2')
    expect(readdirSync(volume)).toContain('key')
  })

  test('hold the working directory', async () => {
    await host.run('v3', 'cat key', { mounts: [mount('/srv/volume-of-a-test')], workingDir: '/srv/volume-of-a-test' })
    expect((await host.ended('v3')).exitCode).toBe(0)
    expect(await host.logs('v3')).toBe('value\n')
  })
})

describe.skipIf(noNamespaces)(
  'volumes in a mount namespace (needs `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0` or root)',
  () => {
    let host: Host
    beforeAll(() => {
      host = new Host()
    })
    afterAll(() => host.close())

    test('are at their true paths, new and existing ones, files too, and nothing of it is seen outside', async () => {
      const script = `cat /volume-of-a-test/key /etc/volume-of-a-test/deep/key /srv/key /etc/single-file-of-a-test; ls -d /usr /etc/passwd /proc/self; id -u > /dev/null && echo fine`
      await host.run('n1', script, {
        mounts: [
          mount('/volume-of-a-test'),
          mount('/etc/volume-of-a-test/deep'),
          mount('/srv'),
          mount('/etc/single-file-of-a-test', true, join(volume, 'key')),
        ],
      })
      expect(await host.ended('n1')).toMatchObject({ exitCode: 0 })
      expect(await host.logs('n1', { stream: 'Stderr' })).toBe('')
      expect(await host.logs('n1')).toBe('value\nvalue\nvalue\nvalue\n/etc/passwd\n/proc/self\n/usr\nfine\n')
      expect(readFileSync(join(host.containerPath('n1'), 'start'), 'utf8')).toContain('mounts=namespace')
      expect(readdirSync('/')).not.toContain('volume-of-a-test')
      expect(readdirSync('/etc')).not.toContain('volume-of-a-test')
      expect(readdirSync('/etc')).not.toContain('single-file-of-a-test')
    })

    test('are read-only where asked', async () => {
      await host.run('n2', 'echo x > /volume-of-a-test/refused; cat /volume-of-a-test/key', { mounts: [mount('/volume-of-a-test', true)] })
      await host.ended('n2')
      expect(await host.logs('n2', { stream: 'Stdout' })).toBe('value\n')
      expect(readdirSync(volume)).not.toContain('refused')
    })

    test('may lie within each other', async () => {
      await host.run('n3', 'ls /volume-of-a-test/sub', { mounts: [mount('/volume-of-a-test/sub'), mount('/volume-of-a-test')] })
      await host.ended('n3')
      expect(await host.logs('n3')).toContain('key\n')
    })

    test('are there for exec too', async () => {
      await host.run('n4', 'sleep 1000', { mounts: [mount('/volume-of-a-test')] })
      const stdout = new PassThrough()
      const out = collect(stdout)
      await host.runtime.exec(
        { sandbox: 'n4', name: 'main' },
        ['cat', '/volume-of-a-test/key'],
        { stdout, tty: false },
        AbortSignal.timeout(5000),
      )
      expect(await out).toBe('value\n')
    })

    test('come with the host name of the sandbox, and ours stays', async () => {
      await host.sandbox('n6', { hostname: 'web-0' })
      await host.run('n6', 'hostname')
      await host.ended('n6')
      expect(await host.logs('n6')).toBe('web-0\n')
      expect(hostname()).not.toBe('web-0')
    })

    test('keep users as they are', async () => {
      await host.run('n5', 'id -u; id -g', { mounts: [mount('/volume-of-a-test')] })
      await host.ended('n5')
      expect(await host.logs('n5')).toBe(`${process.getuid?.()}\n${process.getgid?.()}\n`)
    })
  },
)

describe.skipIf(noNamespaces)('a system that allows no namespaces', () => {
  test('runs the container all the same, and the start record says where volumes are', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'continuo-none-'))
    const shim = await prepareShim(directory)
    mkdirSync(join(directory, 'rootfs'))
    const mounts = [{ source: volume, target: '/volume-of-a-test', readOnly: false }]
    const env = { PATH: process.env.PATH ?? '' }
    const args = ['sh', '-c', 'test -e /volume-of-a-test || exit 12']
    const rest = { cwd: '/', cwdElse: '/', noNewPrivileges: false, tty: false, stdin: false, stdinOnce: false, logBytes: 0, logFiles: 1 }
    writeFileSync(
      join(directory, 'spec'),
      encodeSpec({ args, env, mounts, namespaces: true, hostname: 'web', log: join(directory, 'log'), ...rest }),
    )
    const forbid = `echo 0 > /proc/sys/user/max_mnt_namespaces; exec ${shim} ${directory}`
    execFileSync('unshare', ['--user', '--map-root-user', '--mount', 'sh', '-c', forbid])
    expect(readFileSync(join(directory, 'start'), 'utf8')).toContain('mounts=none')
    const exit = () => (existsSync(join(directory, 'exit')) ? parseExit(readFileSync(join(directory, 'exit'), 'utf8')) : undefined)
    expect(await eventually('the end', exit)).toMatchObject({ code: 12 })
    rmSync(directory, { recursive: true, force: true })
  })
})

describe('users', () => {
  let host: Host
  beforeAll(() => {
    host = new Host()
  })
  afterAll(() => host.close())

  test('are changed by root, and stay those of an agent that is not root', async () => {
    const security = {
      user: 12345,
      group: 23456,
      supplementalGroups: [34567],
      privileged: false,
      readOnlyRootFilesystem: false,
      allowPrivilegeEscalation: false,
      addCapabilities: [],
      dropCapabilities: [],
    }
    await host.run('u1', 'id -u; id -g; id -G; touch file && echo wrote; grep NoNewPrivs /proc/self/status', { security })
    await host.ended('u1')
    const lines = (await host.logs('u1')).split('\n')
    if (process.getuid?.() === 0) expect(lines.slice(0, 3)).toEqual(['12345', '23456', '23456 34567'])
    else expect(lines[0]).toBe(String(process.getuid?.()))
    expect(lines[3]).toBe('wrote')
    expect(lines[4]).toMatch(/1$/)
  })
})
