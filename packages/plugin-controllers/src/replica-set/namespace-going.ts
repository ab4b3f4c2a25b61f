import { hasReason } from '@continuo/core'

/** The namespace is being deleted: nothing can be made in it, and nothing needs to. */
export const isNamespaceGoing = (error: unknown): boolean =>
  hasReason(error, 'Forbidden') && (error.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') ?? false)
