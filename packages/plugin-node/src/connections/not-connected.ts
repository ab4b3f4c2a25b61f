import { ContinuoError } from '@continuo/core'

/** The error of a dial when there is no way to the node from here. */
export const notConnected = (node: string, cause?: unknown): ContinuoError =>
  new ContinuoError('NODE_NOT_CONNECTED', `no agent of node ${JSON.stringify(node)} is connected to this replica`, {
    hint: 'check that the node runs; its agent connects again by itself',
    ...(cause === undefined ? {} : { cause }),
  })
