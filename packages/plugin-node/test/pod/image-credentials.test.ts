import { describe, expect, it } from 'vitest'
import { dockerConfigOf, registryAuth } from '../../src/pod/image-credentials.ts'

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))
const auth = (user: string, password: string): string => Buffer.from(`${user}:${password}`).toString('base64')

describe('dockerConfigOf', () => {
  it('reads both forms and takes anything else for empty', () => {
    const entry = { 'r.example.com': { username: 'me' } }
    expect(dockerConfigOf(new Map([['.dockerconfigjson', bytes({ auths: entry })]]))).toEqual(entry)
    expect(dockerConfigOf(new Map([['.dockercfg', bytes(entry)]]))).toEqual(entry)
    expect(dockerConfigOf(new Map([['.dockerconfigjson', bytes('{')]]))).toEqual({})
    expect(dockerConfigOf(new Map([['password', bytes('x')]]))).toEqual({})
  })
})

describe('registryAuth', () => {
  const userOf = (image: string, ...registries: string[]) =>
    registryAuth(image, [Object.fromEntries(registries.map((registry) => [registry, { username: registry }]))])?.username

  it('finds the registry of an image, the default one included', () => {
    expect(userOf('r.example.com/a/b:1', 'r.example.com')).toBe('r.example.com')
    expect(userOf('localhost:5000/a', 'localhost:5000')).toBe('localhost:5000')
    expect(userOf('nginx', 'https://index.docker.io/v1/')).toBe('https://index.docker.io/v1/')
    expect(userOf('library/nginx', 'docker.io')).toBe('docker.io')
    expect(userOf('r.example.com/a', 'other.example.com')).toBeUndefined()
  })

  it('prefers the entry that names more of the path, by whole segments', () => {
    expect(userOf('r.example.com/team/app:1', 'r.example.com', 'r.example.com/team')).toBe('r.example.com/team')
    expect(userOf('r.example.com/teams/app', 'r.example.com/team')).toBeUndefined()
  })

  it('takes a star for one label of the host', () => {
    expect(userOf('eu.example.com/a', '*.example.com')).toBe('*.example.com')
    expect(userOf('a.eu.example.com/a', '*.example.com')).toBeUndefined()
  })

  it('takes user and password out of auth', () => {
    const config = { 'r.example.com': { auth: auth('me', 'pass:word') } }
    expect(registryAuth('r.example.com/a', [{}, config])).toMatchObject({
      username: 'me',
      password: 'pass:word',
      serverAddress: 'r.example.com',
    })
  })
})
