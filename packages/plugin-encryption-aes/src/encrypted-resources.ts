/**
 * Whether what lies at a storage key is to be encrypted. `secrets` means the core group, `certificates.example.com` a group's resource,
 * `*.example.com` a whole group, `*` every object. Pure; prepared once, asked with each write.
 */
export function encryptedResources(names: readonly string[]): (storageKey: string) => boolean {
  const wanted = new Set(names)
  return (storageKey) => {
    const [, root, group = '', resource = ''] = storageKey.split('/', 4)
    if (root !== 'registry') return false
    if (wanted.has('*')) return true
    return group === 'core' ? wanted.has(resource) || wanted.has('*.') : wanted.has(`${resource}.${group}`) || wanted.has(`*.${group}`)
  }
}
