// A pod with one container on plugin-runtime-oci beside bare crun with a network namespace and an overlay, by turns. Needs root, crun, iproute2, nftables, busybox-static:
//   node --conditions=@continuo/source bench/oci-start.bench.ts [rounds, default 20]

import { execFile, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { busyboxArchive, missing, OciMachine } from '../packages/plugin-runtime-oci/test/machine.ts'
import { header, ratios, row, spread } from './support/figures.ts'

const run = promisify(execFile)
const rounds = Number(process.argv[2] ?? 20)
const hide = 'if [ -d /sys/fs/cgroup/unified ]; then umount -l /sys/fs/cgroup/unified; fi; '

/** What somebody would do by hand: namespace, pair of interfaces, overlay, `crun run`, until the container is there. */
async function bare(at: string, image: string, node: string, index: number): Promise<number> {
  const directory = join(at, `bare-${index}`)
  for (const name of ['upper', 'work', 'merged']) mkdirSync(join(directory, name), { recursive: true })
  execFileSync('crun', ['spec'], { cwd: directory })
  const netns = join(directory, 'netns')
  writeFileSync(netns, '')
  const spec = JSON.parse(execFileSync('cat', [join(directory, 'config.json')], { encoding: 'utf8' }))
  spec.process = { ...spec.process, terminal: false, args: ['sleep', '600'] }
  spec.root = { path: 'merged' }
  spec.linux.namespaces = spec.linux.namespaces
    .filter(({ type }: { type: string }) => type !== 'cgroup')
    .map((one: { type: string }) => (one.type === 'network' ? { ...one, path: netns } : one))
  writeFileSync(join(directory, 'config.json'), JSON.stringify(spec))
  const lines = (text: string) => `printf '${text}' |`
  const from = performance.now()
  const inside = `link set lo up\\nlink add eth0 type veth peer name bare${index} netns ${node}\\naddr add 10.99.0.${index + 1}/32 dev eth0\\nlink set eth0 up\\nroute add 169.254.1.1 dev eth0\\nroute add default via 169.254.1.1\\n`
  await run('sh', ['-c', `${lines(inside)} unshare --net=${netns} ip -batch -`])
  await run('sh', [
    '-c',
    `${lines(`link set bare${index} up\\nroute add 10.99.0.${index + 1} dev bare${index}\\n`)} nsenter --net=${node} ip -batch -`,
  ])
  const script = `${hide}cd ${directory} && mount -t overlay overlay -o lowerdir=${image},upperdir=upper,workdir=work merged && exec crun --root ${at}/state --cgroup-manager=disabled run bare-${index}`
  const child = spawn('unshare', ['--mount', 'sh', '-c', script], { stdio: 'ignore' })
  const status = join(at, 'state', `bare-${index}`, 'status')
  while (!existsSync(status)) {
    if (child.exitCode !== null) throw new Error(`crun ended with ${child.exitCode}`)
    await new Promise((done) => setTimeout(done, 2))
  }
  const took = performance.now() - from
  await run('crun', ['--root', `${at}/state`, 'kill', `bare-${index}`, 'KILL'])
  await new Promise((done) => (child.exitCode === null ? child.once('exit', done) : done(undefined)))
  await run('sh', ['-c', `umount ${netns}; nsenter --net=${node} ip link del bare${index} || true`]).catch(() => {})
  return took
}

const security = {
  supplementalGroups: [],
  privileged: false,
  readOnlyRootFilesystem: false,
  allowPrivilegeEscalation: true,
  addCapabilities: [],
  dropCapabilities: [],
}

async function ours({ runtime }: OciMachine, uid: string): Promise<number> {
  const from = performance.now()
  await runtime.ensureSandbox({
    ...{
      uid,
      namespace: 'bench',
      name: uid,
      hostname: uid,
      hostNetwork: false,
      shareProcessNamespace: false,
      hostPid: false,
      hostIpc: false,
    },
    ...{ sysctls: {}, hostAliases: [], ports: [], labels: {}, annotations: {}, resources: {} },
  })
  const container = await runtime.ensureContainer({
    ...{ sandbox: uid, name: 'main', attempt: 0, kind: 'main', image: 'tool:1', command: ['sleep', '600'], args: [], env: [], mounts: [] },
    ...{
      devices: [],
      resources: {},
      security,
      stdin: false,
      stdinOnce: false,
      tty: false,
      log: { maxBytes: 1e6, maxFiles: 2 },
      labels: {},
      hash: '',
    },
  })
  const took = performance.now() - from
  if (container.state !== 'running') throw new Error(`the container is ${container.state}: ${container.message}`)
  await runtime.removeSandbox(uid)
  return took
}

if (missing !== undefined) console.log(`skipped: ${missing}`)
else {
  const machine = new OciMachine()
  const keep = setInterval(() => {}, 1_000)
  const at = join(machine.directory, 'bare')
  mkdirSync(at)
  try {
    busyboxArchive(machine.images, 'tool:1')
    const image = join(machine.directory, 'runtime', 'images', (await machine.runtime.pullImage('tool:1')).replace('sha256:', ''), 'root')
    const [floor, own]: [number[], number[]] = [[], []]
    for (let index = 0; index < rounds + 2; index++) {
      const [theirs, mine] = [await bare(at, image, join(machine.directory, 'node'), index), await ours(machine, `pod-${index}`)]
      // The first two warm caches up.
      if (index >= 2) floor.push(theirs) && own.push(mine)
    }
    header(['start of a pod with one container', 'ms: median (range)'])
    row(['bare crun, namespace, overlay', spread(floor)])
    row(['plugin-runtime-oci with plugin-network-routed', spread(own)])
    row(['ratio over pairs', spread(ratios(own, floor), 2)])
    const many = 32
    const from = performance.now()
    for (let done = 0; done < many; done += 8)
      await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map((index) => ours(machine, `many-${done + index}`)))
    row(['pods started and removed a second, 8 at once', ((many * 1_000) / (performance.now() - from)).toFixed(1)])
  } finally {
    rmSync(at, { recursive: true, force: true })
    await machine.close()
    clearInterval(keep)
  }
}
