import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { spawnContinuo } from '../support/continuo.ts'
import { type ControlPlane, invite, joinNode, machineDirectory, startControlPlane, untilReady } from './machines.ts'

/** The line with one part of it replaced. */
const changed = (line: readonly string[], flag: string, value: string): readonly string[] =>
  line.map((part, index) => (line[index - 1] === flag ? value : part))

async function refused(line: readonly string[], node = 'node-9'): Promise<string> {
  const directory = await machineDirectory('refused')
  const { code, output } = await spawnContinuo([...line, '--data-dir', directory, '--node-name', node]).ended
  expect(code).toBe(1)
  expect(existsSync(join(directory, 'node.yaml'))).toBe(false)
  return output
}

const tokenOf = (line: readonly string[]): string => line[line.indexOf('--token') + 1] as string

describe('joining', { timeout: 90_000 }, () => {
  it('is refused with what is wrong and what to do', async () => {
    const plane = await startControlPlane()
    const line = await invite(plane)
    await joinNode(line, 1)
    await untilReady(plane.api, 'node-1')

    const brief = await invite(plane, '--ttl', '1s')
    const [hash, form, unknown, living, name, nowhere, nothing, expired] = await Promise.all([
      refused(changed(line, '--ca-hash', `sha256:${'0'.repeat(64)}`)),
      refused(changed(line, '--ca-hash', 'md5:0')),
      refused(changed(line, '--token', 'aaaaaa.0123456789abcdef')),
      refused(line, 'node-1'),
      refused(line, 'Node_1'),
      refused(['join', 'https://127.0.0.1:1', ...line.slice(2)]),
      refused(['join']),
      // It ends while its process starts.
      sleep(1_000).then(() => refused(brief)),
    ])
    expect(hash).toContain('belongs to another cluster')
    expect(hash).toContain('somebody stands between')
    expect(form).toContain('does not have the form sha256')
    expect(unknown).toContain('does not accept the token')
    expect(unknown).toContain('continuo token create')
    expect(living).toContain('has a node "node-1" already')
    expect(name).toContain('cannot be the name of a node')
    expect(nowhere).toContain('cannot be reached')
    expect(nothing).toContain('URL is missing')
    expect(expired).toContain('has expired')
    for (const output of [hash, unknown, living]) expect(output).not.toContain(tokenOf(line))
  })

  it('ends with a deleted token; the list shows none of its secret', async () => {
    const plane = await startControlPlane()
    const line = await invite(plane, '--description', 'the third rack')
    const [id, secret] = tokenOf(line).split('.') as [string, string]
    const list = async () => (await spawnContinuo(['token', 'list', '--data-dir', plane.directory]).ended).output
    expect(await list()).toContain('the third rack')
    expect(await list()).not.toContain(secret)
    const removed = await spawnContinuo(['token', 'delete', id, '--data-dir', plane.directory]).ended
    expect(removed).toMatchObject({ code: 0 })
    expect(await list()).not.toContain(id)
    expect(await refused(line)).toContain('does not accept the token')
    expect((await clusterInfo(plane)).data).toEqual({ kubeconfig: expect.any(String) })
  })
})

const clusterInfo = async (plane: ControlPlane) =>
  (await plane.api.ok('GET', '/api/v1/namespaces/kube-public/configmaps/cluster-info')).body
