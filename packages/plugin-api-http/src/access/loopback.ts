import { isIPv4 } from 'node:net'

/** Whether a host name or address, without a port, can only mean this machine. */
export const isLoopback = (host: string): boolean => {
  const plain = host.replace(/^\[(.*)\]$/, '$1').replace(/^::ffff:/i, '')
  return plain === 'localhost' || plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'))
}

/** The host of a `Host` header or of an origin, without its port. Undefined for what is neither. */
export function hostOf(text: string): string | undefined {
  const url = text.includes('://') ? text : `http://${text}`
  return URL.canParse(url) ? new URL(url).hostname : undefined
}
