// The object client over HTTP, in a process of its own.

import { createHttpClient, type HttpClient } from '@continuo/plugin-client-http'
import { serve } from './child.ts'
import type { Access } from './load.ts'
import { runWrites, type WriteKind } from './write-operations.ts'

let client: HttpClient
let next = 5_000_000

serve({
  async connect({ port, ca, cert, key }: Access) {
    client = await createHttpClient({ server: `https://127.0.0.1:${port}`, ca, cert, key })
  },
  writes({ kind, operations }: { kind: WriteKind; operations: number }) {
    next += operations + 8
    return runWrites(client, kind, operations, next)
  },
})
