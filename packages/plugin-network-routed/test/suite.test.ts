import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { podNetworkSuite } from '@continuo/testkit'
import { describe } from 'vitest'
import { addressSeen, inside, machine, missing, range, routed, tellsAddress } from './machine.ts'

describe.skipIf(missing)(`the routed network on the real kernel${missing === undefined ? '' : ` (${missing})`}`, () => {
  podNetworkSuite('routed', async () => {
    const host = await machine()
    const node = await host.namespace('node')
    const directory = join(host.directory, 'state')
    const start = async () => {
      const network = routed(node, directory)
      await network.setRanges([range('10.77.0.0/28')])
      return network
    }
    const network = await start()
    let made = 0
    return {
      network,
      capacity: 14,
      restart: start,
      namespace: () => host.namespace(`made-${made++}`),
      reaches: async (from, ip) => {
        const target = ip === '127.0.0.1' || from.ips.includes(ip) ? from.netns : undefined
        const owner = target ?? (await ownerOf(join(directory, 'netns'), host.directory, ip))
        if (owner === undefined) return false
        const server = await tellsAddress(owner, 8_080)
        try {
          return (await addressSeen(from.netns, ip, 8_080)) === (ip === '127.0.0.1' ? ip : from.ips[0])
        } finally {
          server.stop()
        }
      },
      leftovers: async () => [
        ...inside(node, 'ip', '-o', 'link').split('\n'),
        ...inside(node, 'ip', 'route', 'show', 'table', 'all', 'proto', '173').split('\n'),
        ...inside(node, 'nft', 'list', 'ruleset').split('\n'),
        ...(await readdir(join(directory, 'netns')).catch(() => [])),
        ...(await readdir(join(directory, 'pods')).catch(() => [])),
      ],
      dispose: () => host.remove(),
    }
  })
})

/** The namespace in which an address is. */
async function ownerOf(own: string, made: string, ip: string): Promise<string | undefined> {
  const paths = [
    ...(await readdir(own)).map((name) => join(own, name)),
    ...(await readdir(made)).filter((name) => name.startsWith('made')).map((name) => join(made, name)),
  ]
  return paths.find((path) => inside(path, 'ip', '-o', 'addr').includes(` ${ip}/`))
}
