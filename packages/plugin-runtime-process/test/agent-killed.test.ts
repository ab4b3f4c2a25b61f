import { spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, Host, processesWith } from './harness.ts'

let host: Host

beforeAll(() => {
  host = new Host()
})
afterAll(() => host.close())

test('a container outlives the SIGKILL of its agent, keeps writing its log, and the next agent learns its exit code', async () => {
  const fixture = fileURLToPath(new URL('./agent.fixture.ts', import.meta.url))
  const agent = spawn(process.execPath, ['--conditions=@continuo/source', fixture, host.directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise<void>((resolve, reject) => {
    agent.stdout.on('data', () => resolve())
    agent.on('close', (code) => reject(new Error(`the agent ended with ${code}`)))
  })
  const closed = new Promise((resolve) => agent.on('close', resolve))
  agent.kill('SIGKILL')
  await closed
  const before = await host.state('killed')
  expect(before.state).toBe('running')
  writeFileSync(join(host.containerPath('killed'), 'rootfs', 'go'), '')
  expect(await host.ended('killed')).toMatchObject({ id: before.id, startedAt: before.startedAt, exitCode: 33 })
  expect(await host.logs('killed')).toBe('before\nafter\n')
  await host.sandbox('killed')
  await eventually('the state is read once more', async () => (await host.state('killed')).state === 'exited')
})

test('a container ends when somebody removes the state directory', async () => {
  const other = new Host()
  const { id } = await other.run('orphan', 'sleep 1000')
  other.runtime.close()
  rmSync(other.directory, { recursive: true, force: true })
  await eventually('no process is left', () => processesWith(id).length === 0, 12_000)
})
