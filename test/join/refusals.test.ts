import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
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

    const hash = await refused(changed(line, '--ca-hash', `sha256:${'0'.repeat(64)}`))
    expect(hash).toContain('belongs to another cluster')
    expect(hash).toContain('somebody stands between')
    expect(await refused(changed(line, '--ca-hash', 'md5:0'))).toContain('does not have the form sha256')
    const unknown = await refused(changed(line, '--token', 'aaaaaa.0123456789abcdef'))
    expect(unknown).toContain('does not accept the token')
    expect(unknown).toContain('continuo token create')
    expect(await refused(line, 'node-1')).toContain('has a node "node-1" already')
    expect(await refused(line, 'Node_1')).toContain('cannot be the name of a node')
    expect(await refused(['join', 'https://127.0.0.1:1', ...line.slice(2)])).toContain('cannot be reached')
    expect(await refused(['join'])).toContain('URL is missing')

    const brief = await invite(plane, '--ttl', '1s')
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(await refused(brief)).toContain('has expired')
    for (const output of [hash, unknown]) expect(output).not.toContain(tokenOf(line))
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

  it('leaves what it writes to its owner alone', async () => {
    const plane = await startControlPlane()
    const { directory } = await joinNode(await invite(plane), 1)
    for (const file of ['node.yaml', 'node-pki/node.pem', 'node-pki/ca.crt'])
      expect(((await stat(join(directory, file))).mode & 0o777).toString(8)).toBe('600')
  })
})

const clusterInfo = async (plane: ControlPlane) =>
  (await plane.api.ok('GET', '/api/v1/namespaces/kube-public/configmaps/cluster-info')).body
