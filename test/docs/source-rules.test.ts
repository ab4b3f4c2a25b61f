import { describe, expect, it } from 'vitest'
import { places, type SourceFile, sources, withoutComments } from './workspace-files.ts'

/** Words of the workload domain, which core must not know. */
const workloadWords = new Set(['pod', 'node', 'service', 'container', 'image'])

interface Allowed {
  readonly why: string
  /** Files of core's sources. */
  readonly files: RegExp
  /** The whole identifier or word. */
  readonly word: RegExp
  /** What stands before and after the word on its line, if that matters. */
  readonly line?: RegExp
}

const allowed: readonly Allowed[] = [
  { why: 'the platform', files: /./, word: /^node$/, line: /from 'node:|import\('node:/ },
  { why: 'the platform', files: /./, word: /^(Node|NodeJS)$/, line: /Node's (own )?import|as Node finds|Node\.js|NodeJS\./ },
  { why: 'the platform', files: /./, word: /^NODE_ENV$/ },
  { why: 'the name of a host role', files: /./, word: /^node$/, line: /['`]node['`]/ },
  { why: 'a namespace that clients expect', files: /system-namespaces/, word: /^node$/, line: /kube-node-lease/ },
  { why: 'tsyringe', files: /capability\/container\.ts$/, word: /^(container|DependencyContainer|createChildContainer)$/ },
  {
    why: 'the container of capabilities',
    files: /(capability|host)\/[^/]+\.ts$|src\/index\.ts$/,
    word: /^(container|CapabilityContainer)$/,
  },
  {
    why: "core's own object service",
    files: /src\/(client|admission|host)\/|src\/index\.ts$/,
    word: /^(service|service-parts|object-service|local-service|[a-zA-Z]*(ObjectService|LocalService)[a-zA-Z]*|(default)?Service(Parts|Limits)|#service)$/,
  },
  { why: 'a reason of the API', files: /./, word: /^ServiceUnavailable$/ },
  { why: 'the format of conversion webhooks', files: /kinds\/custom\//, word: /^(service|ServiceReference)$/ },
  { why: 'a service for keys', files: /value-transform/, word: /^service$/, line: /key service/ },
]

const parts = (word: string): readonly string[] =>
  word
    .split(/[^A-Za-z]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/)
    .map((part) => part.toLowerCase())
    .map((part) => (workloadWords.has(part.replace(/s$/, '')) ? part.replace(/s$/, '') : part))

/** Words of the workload domain in identifiers, comments and texts. */
function workloadWordsIn(file: SourceFile): readonly string[] {
  return file.text.split('\n').flatMap((line, at) =>
    [...line.matchAll(/[A-Za-z_$][\w$]*/g)]
      .map(([word]) => word)
      .filter((word) => parts(word).some((part) => workloadWords.has(part)))
      .filter(
        (word) =>
          !allowed.some((one) => one.files.test(file.path) && one.word.test(word) && (one.line === undefined || one.line.test(line))),
      )
      .map((word) => `${file.path}:${at + 1}: ${word}`),
  )
}

const file = (text: string, path = 'packages/core/src/queue/x.ts'): SourceFile => ({ path, package: 'core', text })

describe('core', () => {
  it('knows no word of the workload domain', () => {
    expect(sources(['core']).flatMap(workloadWordsIn)).toEqual([])
  })

  it.each([
    ['const podName = 1'],
    ['/** Waits for the pods. */'],
    ['type NodeStatus = {}'],
    ['interface ServiceSpec {}'],
    ['const containers = []'],
    ['// pulls an image'],
  ])('would be caught with %s', (text) => {
    expect(workloadWordsIn(file(text))).toHaveLength(1)
  })

  it.each([["import { x } from 'node:fs'"], ["role === 'node'"], ["'ServiceUnavailable'"]])('may say %s', (text) => {
    expect(workloadWordsIn(file(text))).toEqual([])
  })
})

interface Ban {
  readonly what: string
  readonly pattern: RegExp
  /** The files that may, and why they are few. */
  readonly except: RegExp
  readonly example: string
}

const bans: readonly Ban[] = [
  { what: 'a bare Error', pattern: /\bnew Error\(/, except: /^$/, example: "throw new Error('x')" },
  {
    what: 'the wall clock',
    pattern: /\bDate\.now\(|\bnew Date\(\)/,
    except: /^packages\/core\/src\/clock\/system-clock\.ts$/,
    example: 'const now = Date.now()',
  },
  {
    what: 'the random source of the platform',
    pattern: /\bMath\.random\(|\brandomUUID\(|\brandomBytes\(|\bgetRandomValues\(/,
    // A draft that is renamed at once has a name that nobody ever sees.
    except:
      /^packages\/(core\/src\/random\/system-random|lib-certificates\/src\/certificate-directory|plugin-authn-service-account\/src\/keys\/key-file)\.ts$/,
    example: 'Math.random()',
  },
  {
    what: 'timers of the platform',
    pattern: /\bset(Timeout|Interval)\(|from 'node:timers/,
    // The store yields to the event loop between steps of a snapshot; that takes no time.
    except:
      /^packages\/(core\/src\/clock\/system-clock|plugin-store-sqlite\/src\/(sqlite-store|restore)|plugin-store-sqlite\/src\/worker\/[a-z-]+)\.ts$/,
    example: 'setTimeout(() => {}, 1)',
  },
]

describe.each(bans)('sources of packages use $what', ({ pattern, except, example }) => {
  it('nowhere but in its adapter', () => {
    const found = sources()
      .filter((source) => !except.test(source.path))
      .flatMap((source) => places(source, pattern, withoutComments(source.text)))
    expect(found).toEqual([])
  })

  it('and this would be caught', () => {
    expect(places(file(example), pattern)).toHaveLength(1)
  })
})

describe('sources of packages', () => {
  it('name no tool or place of whoever wrote them', () => {
    expect(sources().flatMap((source) => places(source, /farm-studio|\/work\/(main|shared)|\/root\//))).toEqual([])
  })

  it('leave no note of something to be done', () => {
    expect(sources().flatMap((source) => places(source, /\b(TODO|FIXME|XXX|HACK)\b/))).toEqual([])
  })
})
