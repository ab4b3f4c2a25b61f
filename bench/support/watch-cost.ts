import type { Child } from './child.ts'
import type { Watchers } from './load.ts'

/** Microseconds of the server's CPU per event, from the first until all are delivered; and what came on all sockets. */
export async function watchCost(
  server: Child,
  open: Watchers,
  events: number,
  method: string,
  parameters: object,
): Promise<{ cpu: number; bytes: number }> {
  await open.settled()
  const bytesBefore = open.bytes
  const before = await server.call<number>(method, { events, ...parameters })
  await open.settled()
  return { cpu: ((await server.call<number>('cpu')) - before) / events, bytes: open.bytes - bytesBefore }
}

/** Events are taken from the version that was reached, so that nothing but them is sent. */
export const watchPath = (more = ''): string =>
  `/api/v1/namespaces/default/pods?watch=1&resourceVersion=0&sendInitialEvents=false&resourceVersionMatch=NotOlderThan${more}`
