import { describe, expect, it } from 'vitest'
import { EtcdStore, storeEtcdConfig } from '../src/index.ts'

const faultsOf = (config: unknown) =>
  storeEtcdConfig.safeParse(config).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)

describe('plugin store-etcd', () => {
  it('has a prefix and times by default', () => {
    expect(storeEtcdConfig.parse({ endpoints: ['http://127.0.0.1:2379'] })).toEqual({
      endpoints: ['http://127.0.0.1:2379'],
      prefix: 'continuo:',
      requestTimeoutSeconds: 5,
      connectTimeoutSeconds: 2,
    })
  })

  it.each([
    [{ endpoints: [] }, ['endpoints']],
    [{ endpoints: ['127.0.0.1:2379'] }, ['endpoints.0']],
    [{ endpoints: ['http://127.0.0.1'] }, ['endpoints.0']],
    [{ endpoints: ['http://a:1', 'https://b:1'] }, ['endpoints']],
    [{ endpoints: ['http://a:1'], prefix: '/continuo' }, ['prefix']],
    [{ endpoints: ['http://a:1'], tls: {} }, ['tls']],
    [{ endpoints: ['https://a:1'], tls: { cert: 'x' } }, ['tls']],
  ])('refuses %o with the path of the fault', (config, paths) => {
    expect(faultsOf(config)?.map((fault) => fault.split(':')[0])).toEqual(paths)
  })

  it('says of each endpoint why it cannot be reached, in the time that a call may take', async () => {
    const store = new EtcdStore({ endpoints: ['http://127.0.0.1:1', 'http://127.0.0.1:2'], prefix: 'x:', requestTimeoutMs: 300 })
    await expect(store.connect()).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/127\.0\.0\.1:1.*ECONNREFUSED.*127\.0\.0\.1:2.*ECONNREFUSED/s),
      hint: expect.stringContaining('endpoints'),
    })
    await store.close()
  })
})
