import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { systemClock } from '@continuo/core'
import { collect, eventually, type RuntimeBench, type RuntimeCheck, refused, within } from './runtime-check.ts'

const main = { sandbox: 'a', name: 'main' }
const lines = (text: string): readonly string[] => text.split('\n').slice(0, -1)

async function failed(bench: RuntimeBench): Promise<void> {
  await bench.start('a', 'fail')
  await bench.ended('a')
}

/** Runs a command in a `serve` container and gives everything that came of it. */
async function exec(bench: RuntimeBench, command: readonly string[], input?: string) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const output = Promise.all([collect(stdout), collect(stderr)])
  if (input !== undefined) stdin.write(input)
  stdin.end()
  const streams = { stdout, stderr, tty: false, ...(input === undefined ? {} : { stdin }) }
  const code = await within(bench.runtime.exec(main, command, streams, AbortSignal.timeout(10_000)), 'the end of the command')
  const [out, err] = await within(output, 'the end of its streams')
  return { code, out, err }
}

/** Logs, exec and attach. */
export const streamChecks: readonly RuntimeCheck[] = [
  {
    name: 'keeps what a container wrote, after its end too',
    async run(bench) {
      await failed(bench)
      deepEqual([...lines(await bench.logs(main))].sort(), ['one', 'oops', 'three', 'two'])
      deepEqual(lines(await bench.logs(main, { stream: 'Stdout' })), ['one', 'two', 'three'])
      deepEqual(lines(await bench.logs(main, { stream: 'Stderr' })), ['oops'])
    },
  },
  {
    name: 'cuts a log by lines and by bytes',
    async run(bench) {
      await failed(bench)
      const whole = lines(await bench.logs(main))
      equal(whole.length, 4)
      deepEqual(lines(await bench.logs(main, { tailLines: 2 })), whole.slice(-2))
      equal(await bench.logs(main, { tailLines: 0 }), '')
      deepEqual(lines(await bench.logs(main, { tailLines: 100 })), whole)
      equal(await bench.logs(main, { stream: 'Stdout', limitBytes: 6 }), 'one\ntw')
    },
  },
  {
    name: 'shows times of lines and leaves out older ones',
    async run(bench) {
      await failed(bench)
      for (const line of lines(await bench.logs(main, { stream: 'Stdout', timestamps: true })))
        match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d) (one|two|three)$/)
      equal(await bench.logs(main, { since: systemClock.now() + 60_000 }), '')
      equal(lines(await bench.logs(main, { since: systemClock.now() - 60_000 })).length, 4)
    },
  },
  {
    name: 'tells the log of the attempt before from that of the latest',
    async run(bench) {
      await failed(bench)
      await refused(bench.logs(main, { previous: true }), 'RUNTIME_NOT_FOUND')
      await bench.start('a', 'serve', { attempt: 1 })
      equal(lines(await bench.logs(main, { previous: true })).length, 4)
      equal(await bench.logs(main), '')
      equal(lines(await bench.logs({ ...main, attempt: 0 })).length, 4)
    },
  },
  {
    name: 'follows a log until the container ends, or the reader has had enough',
    async run(bench) {
      await bench.start('a', 'echo')
      const abort = new AbortController()
      const [ending, leaving] = [new PassThrough(), new PassThrough()]
      const [all, some] = [collect(ending), collect(leaving)]
      const options = { follow: true, previous: false, timestamps: false }
      const toTheEnd = bench.runtime.logs(main, options, ending, AbortSignal.timeout(20_000)).finally(() => ending.end())
      const forAWhile = bench.runtime.logs(main, options, leaving, abort.signal).finally(() => leaving.end())
      await systemClock.sleep(50)
      const stdin = new PassThrough()
      const attached = bench.runtime.attach(main, { stdin, stdout: new PassThrough().resume(), tty: false }, AbortSignal.timeout(20_000))
      stdin.write('later\n')
      await eventually('the line in the log', async () => ((await bench.logs(main)).includes('later') ? true : undefined))
      await systemClock.sleep(300)
      abort.abort()
      await within(forAWhile, 'the end of a reader that leaves')
      await bench.runtime.stop(main, 0)
      await within(toTheEnd, 'the end of a followed log')
      await within(attached, 'the end of an attachment')
      deepEqual([lines(await all), lines(await some)], [['later'], ['later']])
    },
  },
  {
    name: 'runs a command beside the container and tells its exit code, its output and its errors apart',
    async run(bench) {
      await bench.start('a', 'serve')
      deepEqual(await exec(bench, bench.opened.commands.both), { code: 3, out: 'out', err: 'err' })
      equal((await bench.state('a'))?.state, 'running')
    },
  },
  {
    name: 'gives a command its input to the end',
    async run(bench) {
      await bench.start('a', 'serve')
      const input = 'some input\n'.repeat(5_000)
      deepEqual(await exec(bench, bench.opened.commands.copy, input), { code: 0, out: input, err: '' })
    },
  },
  {
    name: 'lets go of a command whose client has left',
    async run(bench) {
      await bench.start('a', 'serve')
      const abort = new AbortController()
      const streams = { stdout: new PassThrough().resume(), stderr: new PassThrough().resume(), tty: false }
      const running = bench.runtime.exec(main, bench.opened.commands.forever, streams, abort.signal).then(
        () => true,
        () => true,
      )
      await systemClock.sleep(50)
      abort.abort()
      ok(await within(running, 'the end of the call'))
      equal((await bench.state('a'))?.state, 'running')
    },
  },
  {
    name: 'attaches to a container: input, output, and its end',
    async run(bench) {
      await bench.start('a', 'echo')
      const [stdin, stdout] = [new PassThrough(), new PassThrough()]
      let seen = ''
      stdout.on('data', (chunk) => {
        seen += chunk
      })
      const closed = new Promise((resolve) => stdout.on('end', resolve))
      const attached = bench.runtime.attach(main, { stdin, stdout, tty: false }, AbortSignal.timeout(20_000))
      stdin.write('hello\n')
      await eventually('the answer of the container', async () => (seen.includes('hello\n') ? true : undefined))
      await bench.runtime.stop(main, 0)
      await within(attached, 'the end of the attachment')
      await within(closed, 'the end of its output')
    },
  },
  {
    name: 'leaves the container running when an attached client goes',
    async run(bench) {
      await bench.start('a', 'echo')
      const abort = new AbortController()
      const attached = bench.runtime.attach(
        main,
        { stdin: new PassThrough(), stdout: new PassThrough().resume(), tty: false },
        abort.signal,
      )
      await systemClock.sleep(50)
      abort.abort()
      await within(attached, 'the end of the attachment')
      equal((await bench.state('a'))?.state, 'running')
    },
  },
]
