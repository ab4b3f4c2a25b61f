import type { ConnectRequest, ConnectTarget, NodeDialer } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { chooseContainer, podConnectHandlers } from '../../src/connect/pod-connect.ts'

const pod = (containers: readonly string[], more: Record<string, unknown> = {}, annotations?: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'shop', ...(annotations === undefined ? {} : { annotations }) },
  spec: { nodeName: 'n1', containers: containers.map((name) => ({ name })), ...more },
})

const ask = async (subresource: string, query: string, object = pod(['c'])): Promise<ConnectTarget> => {
  const handler = podConnectHandlers(undefined).get(`/pods/${subresource}`)
  return (handler as NonNullable<typeof handler>).connect({ object, query: new URLSearchParams(query) } as unknown as ConnectRequest)
}

describe('chooseContainer', () => {
  it('takes the named, the annotated or the only one', () => {
    expect(chooseContainer(pod(['a', 'b']), 'b')).toBe('b')
    expect(chooseContainer(pod(['a', 'b'], {}, { 'kubectl.kubernetes.io/default-container': 'b' }), null)).toBe('b')
    expect(chooseContainer(pod(['a']), null)).toBe('a')
    expect(chooseContainer(pod(['a'], { initContainers: [{ name: 'i' }] }), 'i')).toBe('i')
  })

  it('lists the choices', () => {
    expect(() => chooseContainer(pod(['a', 'b'], { initContainers: [{ name: 'i' }] }), null)).toThrow(
      'choose one of: [a b] or one of the init containers: [i]',
    )
    expect(() => chooseContainer(pod(['a']), 'z')).toThrow('container z is not valid for pod p')
  })
})

describe('pod streams', () => {
  it('asks the agent in the words of a kubelet', async () => {
    expect((await ask('log', 'follow=true&tailLines=3&previous=false&pretty=true&sinceSeconds=60')).path).toBe(
      '/containerLogs/shop/p/c?tailLines=3&sinceSeconds=60&follow=true',
    )
    expect((await ask('exec', 'command=sh&command=-c&command=echo+1&stdout=true&tty=0')).path).toBe(
      '/exec/shop/p/c?stdout=true&command=sh&command=-c&command=echo+1',
    )
    expect((await ask('attach', 'stdin=1&stdout=1&container=c')).path).toBe('/attach/shop/p/c?stdin=true&stdout=true')
    expect((await ask('portforward', '')).path).toBe('/portForward/shop/p')
  })

  it('lets streams change to their protocols, and logs to none', async () => {
    expect((await ask('exec', 'command=a&stdout=1')).upgrades).toEqual(['websocket', 'spdy/3.1'])
    expect((await ask('log', '')).upgrades).toBeUndefined()
  })

  it.each([
    ['log', 'tailLines=x', 400],
    ['log', 'tailLines=-1', 422],
    ['log', 'limitBytes=0', 422],
    ['log', 'sinceTime=yesterday', 400],
    ['log', 'sinceTime=2026-01-01T00:00:00Z&sinceSeconds=1', 422],
    ['exec', 'stdout=true', 400],
    ['exec', 'command=ls', 400],
  ])('refuses %s?%s', async (subresource, query, status) => {
    await expect(ask(subresource, query)).rejects.toMatchObject({ status })
  })

  it('refuses a pod that runs nowhere yet', async () => {
    await expect(ask('log', '', pod(['c'], { nodeName: '' }))).rejects.toMatchObject({
      status: 400,
      message: 'pod p does not have a host assigned',
    })
  })

  it('says 503 when the node is not connected', async () => {
    const lost: NodeDialer = { connected: () => [], dial: () => Promise.reject(new TypeError('gone')) }
    const handler = podConnectHandlers(lost).get('/pods/log')
    const target = await (handler as NonNullable<typeof handler>).connect({
      object: pod(['c']),
      query: new URLSearchParams(),
    } as unknown as ConnectRequest)
    await expect(target.open(new AbortController().signal)).rejects.toMatchObject({
      status: 503,
      message: 'node n1 is not connected to this server',
    })
  })
})
