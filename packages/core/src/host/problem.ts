import { ContinuoError } from '../errors/continuo-error.ts'

/** One fault that a check found. A check reports all of them at once. */
export interface Problem {
  readonly code: string
  /** Where, in the words of the config file: `plugins.store.with.path`. Empty for the file as a whole. */
  readonly path: string
  readonly message: string
  readonly hint?: string
  /** The config file, when one is concerned. */
  readonly file?: string
}

/** `plugins.store.with.path: must be a string (hint)`. */
export const formatProblem = (problem: Problem): string =>
  `${problem.path === '' ? '' : `${problem.path}: `}${problem.message}${problem.hint === undefined ? '' : ` (${problem.hint})`}`

/** Thrown when a check found something: `problems` holds every fault, the message prints them one per line. */
export class CheckError extends ContinuoError {
  readonly problems: readonly Problem[]

  constructor(what: string, problems: readonly Problem[]) {
    super(
      'CHECK_FAILED',
      `${what}: ${problems.length} ${problems.length === 1 ? 'fault' : 'faults'}\n${problems.map((problem) => `  - ${formatProblem(problem)}`).join('\n')}`,
    )
    this.problems = problems
  }
}
