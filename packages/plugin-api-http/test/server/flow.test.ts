import { definePlugin } from '@continuo/core'
import { FlowControlCap, type FlowController } from '@continuo/workload'
import { afterEach, describe, expect, it } from 'vitest'
import { type RunningApi, startApi } from '../running-api.ts'

let api: RunningApi | undefined
afterEach(async () => {
  await api?.[Symbol.asyncDispose]()
  api = undefined
})

/** Counts places, and remembers who asked for them. */
function countingController() {
  const asked: string[] = []
  const state = { held: 0, asked }
  const controller: FlowController = {
    enter(user, verb, path) {
      asked.push(`${user.username} ${verb} ${path.isResource ? path.resource : `/${path.segments.join('/')}`}`)
      state.held++
      let isLeft = false
      const place = {
        flowSchemaUid: 'schema-uid',
        priorityLevelUid: 'level-uid',
        listed: () => {},
        leave() {
          if (!isLeft) state.held--
          isLeft = true
        },
      }
      return verb === 'delete' ? Promise.resolve(place) : place
    },
  }
  const plugin = definePlugin({
    name: 'counting',
    api: '^1',
    provides: [FlowControlCap],
    setup: (ctx) => ctx.provide(FlowControlCap, controller),
  })
  return { plugin, state }
}

describe('a flow controller', () => {
  it('is asked about every request that is no stream, tells the client what it decided, and gets every place back', async () => {
    const { plugin, state } = countingController()
    api = await startApi({}, [{ slot: 'flow', plugin }])
    const path = '/api/v1/namespaces/default/configmaps'
    const answer = await api.call(path)
    expect([answer.headers['x-kubernetes-pf-flowschema-uid'], answer.headers['x-kubernetes-pf-prioritylevel-uid']]).toEqual([
      'schema-uid',
      'level-uid',
    ])
    await api.call('/version')
    await api.call(path, { method: 'POST', body: { metadata: { name: 'a' } } })
    await api.call(`${path}/a`, { method: 'DELETE' })
    await api.call(`${path}/a`)
    expect(state.asked).toEqual([
      'continuo-admin list configmaps',
      'continuo-admin get /version',
      'continuo-admin create configmaps',
      'continuo-admin delete configmaps',
      'continuo-admin get configmaps',
    ])
    expect(state.held).toBe(0)
  })

  it('gets the place of a watch back as soon as the watch has begun', async () => {
    const { plugin, state } = countingController()
    api = await startApi({}, [{ slot: 'flow', plugin }])
    const watch = api.session().request({ ':path': '/api/v1/namespaces/default/configmaps?watch=true' })
    await new Promise((resolve) => watch.once('response', resolve))
    expect(state.asked).toEqual(['continuo-admin watch configmaps'])
    expect(state.held).toBe(0)
    watch.close()
  })
})
