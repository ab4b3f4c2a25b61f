import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { renderKubeconfig } from '@continuo/lib-certificates'
import { expect, it, onTestFinished } from 'vitest'
import { createHttpClient, parseKubeconfig } from '../../src/index.ts'
import { Widget, widget } from '../objects.ts'
import { certificates, http2Server } from '../servers.ts'

const of = (user: string, cluster = 'server: https://h:1') => `
current-context: one
contexts: [{name: one, context: {cluster: c, user: u}}, {name: two, context: {cluster: d}}]
clusters: [{name: c, cluster: {${cluster}}}, {name: d, cluster: {server: 'https://d:2'}}]
users: [{name: u, user: {${user}}}]`

it('reads inline data, files beside it, and the context that is wanted', () => {
  const data = (text: string): string => Buffer.from(text).toString('base64')
  expect(
    parseKubeconfig(
      of(
        `client-certificate-data: ${data('cert')}, client-key-data: ${data('key')}`,
        `server: 'https://h:1', certificate-authority-data: ${data('ca')}, tls-server-name: n`,
      ),
      '/etc/k/config',
    ),
  ).toEqual({
    server: 'https://h:1',
    ca: 'ca',
    cert: 'cert',
    key: 'key',
    tlsServerName: 'n',
  })
  expect(
    parseKubeconfig(
      of('client-certificate: me.crt, client-key: /abs/me.key', 'server: "https://h:1", certificate-authority: ../ca.crt'),
      '/etc/k/config',
    ),
  ).toMatchObject({
    caFile: '/etc/ca.crt',
    certFile: '/etc/k/me.crt',
    keyFile: '/abs/me.key',
  })
  expect(parseKubeconfig(of('token: t, tokenFile: t.txt'), '/etc/k/config')).toMatchObject({ tokenFile: '/etc/k/t.txt' })
  expect(parseKubeconfig(of('token: t'), '/etc/k/config', 'two')).toEqual({ server: 'https://d:2', tlsServerName: undefined })
})

it.each([
  ['exec: {command: aws, env: [{name: A, value: secret-value}]}', 'uses exec'],
  ['username: admin, password: secret-value', 'uses username'],
  ['as: root', 'uses as'],
  ['client-key-data: "%secret-value%"', 'client-key-data is not base64'],
  ['token: [secret-value]', 'token is not a text'],
])('refuses what it cannot do: %s', (user, message) => {
  expect(() => parseKubeconfig(of(user), '/k')).toThrow(message)
  expect(() => parseKubeconfig(of(user), '/k')).not.toThrow('secret-value')
})

it.each([
  [
    of('', 'server: "https://h:1", insecure-skip-tls-verify: true'),
    'its cluster uses insecure-skip-tls-verify, which this client does not support',
  ],
  [of('', 'server: "https://h:1", proxy-url: "http://p"'), 'its cluster uses proxy-url, which this client does not support'],
  [of('', ''), 'context "one" names no server'],
  ['a: [', 'is not YAML'],
  ['[]', 'is not a map'],
  ['{}', 'names no current-context'],
  ['current-context: x', 'has no context "x"'],
  ['current-context: x\ncontexts: [{name: x, context: {cluster: c}}]', 'has no cluster "c"'],
])('says what is wrong with %j', (text, message) => {
  expect(() => parseKubeconfig(text, '/k')).toThrow(`kubeconfig /k: ${message}`)
})

it('connects as the file says, and says when there is none', async () => {
  const { authority, client } = await certificates()
  const server = await http2Server(({ stream, json }) =>
    json(widget((stream.session!.socket as TLSSocket).getPeerCertificate().subject.O as string)),
  )
  const directory = await mkdtemp(join(tmpdir(), 'client-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const path = join(directory, 'kubeconfig')
  await expect(createHttpClient({ kubeconfig: path })).rejects.toMatchObject({
    code: 'CLIENT_KUBECONFIG',
    message: `kubeconfig ${path} cannot be read: ENOENT`,
  })
  await writeFile(path, renderKubeconfig({ name: 'x', server: server.url, authority: authority.certificate, client }))
  await using http = await createHttpClient({ kubeconfig: path })
  expect((await http.for(Widget).get('default/a')).metadata.name).toBe('us')
})

it.each([
  [{}, 'neither server nor kubeconfig says where the API is'],
  [{ server: 'https://h', kubeconfig: '/k' }, 'server stands beside kubeconfig: give one of them'],
  [{ server: 'nonsense' }, 'server must be a URL, as https://10.0.0.1:6443'],
  [{ server: 'ftp://h' }, 'server must begin with https://'],
  [{ server: 'https://u:secret-value@h' }, 'server must not hold a user or password; use cert and key, or token'],
  [{ server: 'https://h/?token=secret-value' }, 'server must not have a query or fragment'],
  [{ server: 'http://10.0.0.1:80' }, 'server must use https://; plain HTTP is for the loopback of this machine alone'],
  [{ server: 'https://h', cert: 'x' }, 'cert a client certificate needs both cert and key'],
  [{ server: 'https://h', token: 'x', tokenFile: 'y' }, 'tokenFile stands beside token: give one of them'],
])('refuses options that cannot work: %j', async (options, message) => {
  await expect(createHttpClient(options)).rejects.toMatchObject({ code: 'CLIENT_CONFIG', message })
})
