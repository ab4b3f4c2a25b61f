import { describe, expect, test } from 'vitest'
import { type PathType, resolveImage, splitImage } from '../src/image-resolver.ts'

const image = (more: object) => ({ command: [], args: [], env: {}, ...more })
const images = {
  'shop:1': image({ command: ['one'] }),
  plain: image({ command: ['latest'] }),
  'any:*': image({ command: ['any'] }),
  'registry:5000/team/app:2': image({ command: ['registry'] }),
  broken: image({ root: '/missing' }),
}
const paths: PathType = (path) => (({ '/opt/app': 'directory', '/opt/run': 'executable', '/opt/text': 'other' }) as const)[path]
const command = (name: string) => resolveImage(name, images, paths).command[0]

describe('image names', () => {
  test('are split at the tag and not at the port of a registry', () => {
    expect(splitImage('a')).toEqual({ name: 'a', tag: 'latest' })
    expect(splitImage('r:5000/a')).toEqual({ name: 'r:5000/a', tag: 'latest' })
    expect(splitImage('r:5000/a:1@sha256:abc')).toEqual({ name: 'r:5000/a', tag: '1' })
  })

  test('find configured images by name and tag; no tag is latest', () => {
    expect([command('shop:1'), command('plain'), command('plain:latest'), command('any:7'), command('registry:5000/team/app:2')]).toEqual([
      'one',
      'latest',
      'latest',
      'any',
      'registry',
    ])
  })

  test.for(['shop', 'shop:2', 'plain:2', 'unknown', 'registry:5000/team/app', '/opt/text', '/opt/none', 'broken', ''])(
    '%j is not present',
    (name) => {
      expect(() => resolveImage(name, images, paths)).toThrow(expect.objectContaining({ code: 'RUNTIME_IMAGE_NOT_PRESENT' }))
    },
  )

  test('host with any tag runs what the container says, a path what it holds', () => {
    expect(resolveImage('host', images, paths).command).toEqual([])
    expect(resolveImage('continuo/host:v2', images, paths).id).toBe('host://continuo/host:v2')
    expect(resolveImage('/opt/app', images, paths).root).toBe('/opt/app')
    expect(resolveImage('/opt/run', images, paths).command).toEqual(['/opt/run'])
  })
})
