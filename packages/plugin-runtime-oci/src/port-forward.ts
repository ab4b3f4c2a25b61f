import { spawn } from 'node:child_process'
import { Duplex } from 'node:stream'
import { RuntimeError } from '@continuo/workload'

/** Runs in the pod's namespace: connects, says so with one byte, then copies both ways. */
const script = `
const socket = require('node:net').connect({ host: '127.0.0.1', port: Number(process.argv[1]), allowHalfOpen: true })
socket.once('connect', () => { process.stdout.write('\\0'); process.stdin.pipe(socket); socket.pipe(process.stdout) })
socket.once('error', (error) => { process.stderr.write(error.code === 'ECONNREFUSED' ? 'connection refused' : error.message); process.exit(1) })
`

/** A connection to a port of the loopback address of a network namespace. @throws RuntimeError `RUNTIME_UNAVAILABLE` when nobody listens. */
export function connectInside(netns: string | undefined, port: number, signal: AbortSignal): Promise<Duplex> {
  const enter = netns === undefined ? [] : ['nsenter', `--net=${netns}`]
  const [program = '', ...args] = [...enter, process.execPath, '-e', script, String(port)]
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: {}, signal, killSignal: 'SIGKILL' })
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = `${complaint}${text}`.slice(0, 1_024)))
    child.once('error', reject)
    child.once('close', () =>
      reject(new RuntimeError('RUNTIME_UNAVAILABLE', `dial tcp4 127.0.0.1:${port}: connect: ${complaint || 'connection lost'}`)),
    )
    child.stdout.once('readable', () => {
      if (child.stdout.read(1) === null) return
      child.stdin.on('error', () => {})
      const both = Duplex.from({ readable: child.stdout, writable: child.stdin })
      both.once('close', () => child.kill('SIGKILL'))
      resolve(both)
    })
  })
}
