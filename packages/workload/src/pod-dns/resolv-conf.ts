/** What a `resolv.conf` says; `options` as they are written: `ndots:5`. */
export interface ResolvConf {
  readonly nameservers: readonly string[]
  readonly searches: readonly string[]
  readonly options: readonly string[]
}

export const emptyResolvConf: ResolvConf = { nameservers: [], searches: [], options: [] }

/** Reads a `resolv.conf`; what it does not know is passed over. As in resolvers, the last of `search` and `domain` wins. */
export function parseResolvConf(text: string): ResolvConf {
  const nameservers: string[] = []
  let searches: readonly string[] = []
  let options: readonly string[] = []
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/)
    if (keyword === 'nameserver' && words[0] !== undefined) nameservers.push(words[0])
    else if (keyword === 'search') searches = words.map((word) => (word === '.' ? word : word.replace(/\.$/, '')))
    else if (keyword === 'domain') searches = words.slice(0, 1)
    else if (keyword === 'options') options = [...options, ...words]
  }
  return { nameservers, searches, options }
}

/** The text of a `resolv.conf`, in the order in which kubelets write it. */
export const formatResolvConf = ({ nameservers, searches, options }: ResolvConf): string =>
  [
    ...(searches.length === 0 ? [] : [`search ${searches.join(' ')}`]),
    ...nameservers.map((server) => `nameserver ${server}`),
    ...(options.length === 0 ? [] : [`options ${options.join(' ')}`]),
    '',
  ].join('\n')
