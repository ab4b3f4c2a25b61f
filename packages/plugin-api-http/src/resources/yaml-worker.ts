import { parentPort } from 'node:worker_threads'
import { isApiError, parseYaml } from '@continuo/core'
import type { YamlAnswer, YamlQuestion } from './yaml-thread.ts'

// The thread of YamlThread: one document at a time, and what it says as JSON, which the other side reads fast.
parentPort?.on('message', ({ bytes, maxBytes }: YamlQuestion) => {
  const answer = (value: YamlAnswer): void => parentPort?.postMessage(value)
  try {
    const { value, duplicates } = parseYaml(bytes, { maxBytes })
    answer({ json: JSON.stringify(value) ?? 'null', duplicates })
  } catch (error) {
    if (!isApiError(error)) throw error
    answer({ refused: { reason: error.reason, message: error.message, status: error.status } })
  }
})
