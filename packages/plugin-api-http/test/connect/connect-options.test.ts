import { expect, it } from 'vitest'
import { connectOptions, queryOfOptions } from '../../src/connect/connect-options.ts'

const core = { group: '', version: 'v1' }
const query = (text: string): URLSearchParams => new URLSearchParams(text)

it('shows the request of a stream as an object of its kind', () => {
  expect(
    connectOptions({ ...core, kind: 'PodExecOptions' }, query('command=sh&command=-c&stdin=true&tty=false&container=web&stdout=1'), ''),
  ).toEqual({
    apiVersion: 'v1',
    kind: 'PodExecOptions',
    stdin: true,
    stdout: true,
    container: 'web',
    command: ['sh', '-c'],
  })
  expect(connectOptions({ ...core, kind: 'PodPortForwardOptions' }, query('ports=80,443&ports=x'), '')).toMatchObject({ ports: [80, 443] })
  expect(connectOptions({ ...core, kind: 'NodeProxyOptions' }, query('a=b'), '/stats')).toEqual({
    apiVersion: 'v1',
    kind: 'NodeProxyOptions',
    path: '/stats',
  })
})

it('makes the query of what admission left, and keeps what it does not know', () => {
  const asked = query('command=sh&stdin=true&other=1')
  const options = connectOptions({ ...core, kind: 'PodExecOptions' }, asked, '')
  expect(String(queryOfOptions({ ...options, command: ['ls', '-l'], stdin: false }, asked))).toBe('other=1&command=ls&command=-l')
  expect(queryOfOptions({ ...options, kind: 'PodProxyOptions' }, asked)).toBe(asked)
})
