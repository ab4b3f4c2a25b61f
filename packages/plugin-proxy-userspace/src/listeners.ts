import type { ProxyServicePort } from '@continuo/workload'

/** One address on which a service port listens. */
export interface ListenAddress {
  /** `TCP/127.96.0.10/8080`. */
  readonly key: string
  readonly protocol: 'TCP' | 'UDP'
  readonly ip: string
  readonly port: number
  /** Reached from outside the cluster: the external traffic policy applies. */
  readonly external: boolean
}

/** Every address of a service port. Pure. */
export function listenAddresses(port: ProxyServicePort, nodePortAddress: string): readonly ListenAddress[] {
  if (port.protocol === 'SCTP') return []
  const { protocol } = port
  const at = (ip: string, number: number, external: boolean): ListenAddress => ({
    key: `${protocol}/${ip}/${number}`,
    protocol,
    ip,
    port: number,
    external,
  })
  return [
    ...port.clusterIPs.map((ip) => at(ip, port.port, false)),
    ...port.externalIPs.map((ip) => at(ip, port.port, true)),
    ...port.loadBalancerIPs.map((ip) => at(ip, port.port, true)),
    ...(port.nodePort === undefined ? [] : [at(nodePortAddress, port.nodePort, true)]),
  ]
}

/** An error of listening, as a problem's reason and sentence. */
export function listenProblem(address: ListenAddress, error: NodeJS.ErrnoException): { readonly reason: string; readonly message: string } {
  const where = `${address.ip}:${address.port}/${address.protocol}`
  switch (error.code) {
    case 'EADDRINUSE':
      return {
        reason: 'PortInUse',
        message: `cannot listen on ${where}: another process uses the port; choose another port or stop that process`,
      }
    case 'EADDRNOTAVAIL':
      return {
        reason: 'AddressNotAvailable',
        message: `cannot listen on ${where}: this machine does not have the address; the service range must lie in 127.0.0.0/8, and on macOS each address needs an alias on lo0`,
      }
    case 'EACCES':
    case 'EPERM':
      return {
        reason: 'PermissionDenied',
        message: `cannot listen on ${where}: ports below 1024 need root or net.ipv4.ip_unprivileged_port_start; choose a port of 1024 or above`,
      }
    default:
      return { reason: 'ListenFailed', message: `cannot listen on ${where}: ${error.message}` }
  }
}
