import { request } from 'node:http'

/**
 * True when something answers on a TCP port: any HTTP response, or bytes that are no HTTP. A connection that is refused, reset or
 * silent for a second is no answer; what the API says of endpoints may be from before a restart.
 */
export function answers(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ host, port, method: 'HEAD', path: '/', agent: false, timeout: 1_000, signal }, (response) => {
      response.resume()
      resolve(true)
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code?.startsWith('HPE_') === true))
    asked.end()
  })
}
