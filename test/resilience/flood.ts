import { parentPort, workerData } from 'node:worker_threads'
import { type Answered, ask, connectAs } from './http2-client.ts'

/** Keeps `greed` requests of one user under way for some seconds, whatever is answered, and hands back all answers. */
interface Flood {
  readonly kubeconfig: string
  readonly server: string
  readonly user: string
  readonly path: string
  readonly greed: number
  readonly seconds: number
}

/** After a refusal: half of what `Retry-After` asks for. */
const pauseMs = 500
const { kubeconfig, server, user, path, greed, seconds } = workerData as Flood

const sessions = await Promise.all(Array.from({ length: 10 }, () => connectAs(kubeconfig, server)))
const until = performance.now() + seconds * 1_000
const seen: Answered[] = []
await Promise.all(
  Array.from({ length: greed }, async (_, at) => {
    const session = sessions[at % sessions.length]
    while (session !== undefined && performance.now() < until) {
      const answer = await ask(session, user, path).catch(() => undefined)
      if (answer === undefined) return
      seen.push(answer)
      if (answer.status === 429) await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }),
)
for (const session of sessions) session.destroy()
parentPort?.postMessage(seen)
