import { encodeSpec, parseExit, parseStart } from '@continuo/lib-container-shim'
import type { ContainerSpec } from '@continuo/workload'
import { describe, expect, test } from 'vitest'
import type { ResolvedImage } from '../src/image-resolver.ts'
import { commandLine, planLaunch } from '../src/launch-plan.ts'
import { containerSpec } from './harness.ts'

const image: ResolvedImage = { id: 'i', command: ['entry'], args: ['default'], env: { FROM: 'image', BOTH: 'image' }, root: '/opt/app' }
const at = {
  id: 'id',
  rootfs: '/state/rootfs',
  logPath: '/state/log',
  podIP: '127.64.0.1',
  hostname: 'web',
  namespaces: true,
  env: { PATH: '/bin', BOTH: 'agent' },
  privileged: false,
}
const mount = (containerPath: string, hostPath = '/volume') => ({
  name: 'v',
  hostPath,
  containerPath,
  readOnly: false,
  propagation: 'None' as const,
})
const plan = (more: Partial<ContainerSpec>, where = at) => planLaunch(containerSpec('s', 'true', more), image, where)

describe('the command line', () => {
  const line = (command: string[], args: string[], from = image) => commandLine({ command, args, image: 'i', name: 'n' }, from)

  test('follows the rules of Kubernetes for command and args', () => {
    expect(line([], [])).toEqual(['entry', 'default'])
    expect(line([], ['a'])).toEqual(['entry', 'a'])
    expect(line(['c'], [])).toEqual(['c'])
    expect(line(['c'], ['a'])).toEqual(['c', 'a'])
    expect(line([], ['a'], { ...image, command: [] })).toEqual(['a'])
  })

  test('is refused when there is none', () => {
    expect(() => line([], [], { ...image, command: [], args: [] })).toThrow('no command specified')
  })
})

describe('a plan', () => {
  test('lets the container’s variables win over the image’s, and these over the agent’s', () => {
    const { env } = plan({ env: [{ name: 'FROM', value: 'container' }] }).shim
    expect(env).toMatchObject({
      FROM: 'container',
      BOTH: 'image',
      PATH: '/bin',
      POD_IP: '127.64.0.1',
      HOSTNAME: 'web',
      CONTINUO_ROOT: '/state/rootfs',
    })
  })

  test('links each volume below the root directory, and one within another only once', () => {
    const { links, directories, shim } = plan({ mounts: [mount('/etc/a/'), mount('/data/deep', '/inner'), mount('/data', '/outer')] })
    expect(links).toEqual([
      { path: '/state/rootfs/data', target: '/outer' },
      { path: '/state/rootfs/etc/a', target: '/volume' },
    ])
    expect(directories).toContain('/state/rootfs/etc')
    expect(shim.mounts.map(({ target }) => target)).toEqual(['/data', '/etc/a', '/data/deep'])
  })

  test('never leads out of the root directory', () => {
    const { links, directories, shim } = plan({ mounts: [mount('/../../etc/a'), mount('../b')], workingDir: '/../../tmp' })
    for (const path of [...links.map((link) => link.path), ...directories, shim.cwdElse])
      expect(path.startsWith('/state/rootfs')).toBe(true)
  })

  test('changes the user only where the agent may', () => {
    const security = { ...containerSpec('s', '').security, user: 7, allowPrivilegeEscalation: false }
    expect(plan({ security }).shim).not.toHaveProperty('uid')
    expect(plan({ security }, { ...at, privileged: true }).shim).toMatchObject({ uid: 7, gid: 0, noNewPrivileges: true })
  })

  test('refuses a NUL character, which would end an item of the spec early', () => {
    expect(() => plan({ args: ['a\0uid=0'] })).toThrow(expect.objectContaining({ code: 'RUNTIME_INVALID_SPEC' }))
    expect(() => plan({ env: [{ name: 'A', value: '\0' }] })).toThrow(expect.objectContaining({ code: 'RUNTIME_INVALID_SPEC' }))
  })

  test('works in the image’s directory unless the container says where', () => {
    expect(plan({}).shim.cwd).toBe('/opt/app')
    expect(plan({ workingDir: '/srv' }).shim).toMatchObject({ cwd: '/srv', cwdElse: '/state/rootfs/srv' })
  })
})

describe('the shim’s files', () => {
  test('are lists of items that end with NUL', () => {
    const items = encodeSpec(plan({ mounts: [mount('/a')], resources: { memoryLimit: 1000.7 } }).shim)
      .toString()
      .split('\0')
    expect(items.at(-1)).toBe('')
    expect(items).toEqual(
      expect.arrayContaining(['arg=sh', 'env=FROM=image', 'memory=1000', 'mountSource=/volume', 'mountTarget=/a', 'mountReadOnly=0']),
    )
  })

  test('are read when complete, and not before', () => {
    const start = 'boot=b\nshim=1\nshimStart=2\npid=3\npidStart=4\nstarted=1700000000123456789\nmounts=partial\n'
    expect(parseStart(start)).toEqual({
      boot: 'b',
      shim: 1,
      shimStart: 2,
      pid: 3,
      pidStart: 4,
      started: 1_700_000_000_123,
      mounts: 'partial',
    })
    const exit = 'code=137\nsignal=9\noom=1\nfinished=1700000000999999999\n'
    expect(parseExit(exit)).toEqual({ code: 137, signal: 9, outOfMemory: true, finished: 1_700_000_000_999 })
    for (let cut = 0; cut < start.length; cut++) expect(parseStart(start.slice(0, cut))).toBeUndefined()
    for (let cut = 0; cut < exit.length; cut++) expect(parseExit(exit.slice(0, cut))).toBeUndefined()
  })
})
