import type { RegistryAuth } from '@continuo/workload'

interface DockerConfig {
  readonly [registry: string]: {
    readonly username?: string
    readonly password?: string
    readonly auth?: string
    readonly identitytoken?: string
  }
}

const dockerHub = 'index.docker.io'

/** Registries with credentials of one Secret, of either type that Kubernetes knows for them; empty when it is of another form. */
export function dockerConfigOf(data: ReadonlyMap<string, Uint8Array>): DockerConfig {
  const text = (key: string): string => new TextDecoder().decode(data.get(key))
  try {
    if (data.has('.dockerconfigjson')) return (JSON.parse(text('.dockerconfigjson')) as { auths?: DockerConfig }).auths ?? {}
    if (data.has('.dockercfg')) return JSON.parse(text('.dockercfg')) as DockerConfig
  } catch {
    // A Secret that does not hold what its type says helps as much as none.
  }
  return {}
}

/**
 * The credentials for an image: of all entries whose registry matches, the most specific one; of equals the first. A registry may name
 * a path, and `*` stands for one label of its host.
 * @see https://kubernetes.io/docs/concepts/containers/images/#config-json
 */
export function registryAuth(image: string, configs: readonly DockerConfig[]): RegistryAuth | undefined {
  const target = repositoryOf(image)
  const matches = configs
    .flatMap((config) => Object.entries(config))
    .map(([registry, entry]) => ({ registry, entry, place: placeOf(registry) }))
    .filter(({ place }) => covers(place, target))
    .sort((a, b) => b.place.path.length - a.place.path.length)
  const found = matches[0]
  if (found === undefined) return undefined
  const [username, password] = decodedPair(found.entry.auth)
  return {
    username: found.entry.username ?? username,
    password: found.entry.password ?? password,
    identityToken: found.entry.identitytoken,
    serverAddress: found.registry,
  }
}

interface Place {
  readonly host: string
  readonly path: string
}

function repositoryOf(image: string): Place {
  const slash = image.indexOf('/')
  const first = slash < 0 ? '' : image.slice(0, slash)
  const hasHost = first.includes('.') || first.includes(':') || first === 'localhost'
  const host = hasHost && first !== 'docker.io' ? first : dockerHub
  return { host, path: `/${hasHost ? image.slice(slash + 1) : image}` }
}

function placeOf(registry: string): Place {
  const bare = registry.replace(/^https?:\/\//, '').replace(/\/(v1|v2)?\/?$/, '')
  const slash = bare.indexOf('/')
  const host = slash < 0 ? bare : bare.slice(0, slash)
  return { host: host === 'docker.io' ? dockerHub : host, path: slash < 0 ? '' : bare.slice(slash) }
}

function covers(place: Place, target: Place): boolean {
  const wanted = place.host.split('.')
  const labels = target.host.split('.')
  const sameHost = wanted.length === labels.length && wanted.every((label, index) => label === '*' || label === labels[index])
  return sameHost && (target.path === place.path || target.path.startsWith(`${place.path}/`))
}

function decodedPair(auth: string | undefined): readonly [string | undefined, string | undefined] {
  if (auth === undefined) return [undefined, undefined]
  const text = Buffer.from(auth, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? [undefined, undefined] : [text.slice(0, colon), text.slice(colon + 1)]
}
