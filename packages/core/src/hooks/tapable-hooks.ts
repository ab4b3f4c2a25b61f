import { AsyncSeriesHook } from 'tapable'
import { isApiError } from '../errors/api-error.ts'
import { ContinuoError } from '../errors/continuo-error.ts'
import type { AnyHook, Hook, HookStage, Hooks, Tap, TapOptions } from './hook.ts'

const stages: readonly HookStage[] = ['pre', 'main', 'post']
const origin = Symbol.for('continuo/hook-origin')

/** Where an error came from, when a tap threw it. */
export interface HookOrigin {
  readonly hook: string
  readonly plugin: string
}

/** The plugin and hook that an error which left {@link Hooks.call} comes from. */
export const hookOrigin = (error: unknown): HookOrigin | undefined =>
  typeof error === 'object' && error !== null ? ((error as Record<symbol, unknown>)[origin] as HookOrigin | undefined) : undefined

interface TapEntry {
  readonly plugin: string
  readonly stage: HookStage
  readonly order: number
  readonly run: (argument: object) => Promise<void>
  /** Closed once the tap was taken away: a call that is under way skips it. */
  open: boolean
}

interface HookState {
  taps: TapEntry[]
  /** Compiled from `taps` when first called after a change: tapable itself has no untap. */
  compiled?: AsyncSeriesHook<[object]>
}

const compare = (a: TapEntry, b: TapEntry): number =>
  stages.indexOf(a.stage) - stages.indexOf(b.stage) || (a.plugin < b.plugin ? -1 : a.plugin > b.plugin ? 1 : a.order - b.order)

/** An ApiError is an answer to a client and passes as it is; anything else is wrapped. Both name plugin and hook. */
function blame(error: unknown, from: HookOrigin): unknown {
  const blamed = isApiError(error)
    ? error
    : new ContinuoError(
        'HOOK_TAP_FAILED',
        `plugin ${from.plugin} failed in hook ${from.hook}: ${error instanceof Error ? error.message : String(error)}`,
        {
          cause: error,
        },
      )
  Object.defineProperty(blamed, origin, {
    value: from,
    configurable: true,
    enumerable: false,
  })
  return blamed
}

function compile(taps: readonly TapEntry[]): AsyncSeriesHook<[object]> {
  const compiled = new AsyncSeriesHook<[object]>(['argument'])
  for (const tap of taps) {
    compiled.tapPromise({ name: tap.plugin, stage: stages.indexOf(tap.stage) }, (argument) =>
      tap.open ? tap.run(argument) : Promise.resolve(),
    )
  }
  return compiled
}

/** Hooks on tapable: one per host. */
export function createHooks(): Hooks {
  const states = new Map<string, HookState>()
  let order = 0

  return {
    tap<T extends object>(hook: Hook<T>, plugin: string, tap: Tap<T>, options: TapOptions = {}) {
      const state = states.get(hook.id) ?? { taps: [] }
      states.set(hook.id, state)
      order += 1
      const entry: TapEntry = {
        plugin,
        stage: options.stage ?? 'main',
        order,
        open: true,
        run: async (argument) => {
          try {
            await tap(argument as T)
          } catch (error) {
            throw blame(error, { hook: hook.id, plugin })
          }
        },
      }
      state.taps = [...state.taps, entry].sort(compare)
      state.compiled = undefined
      return () => {
        if (!entry.open) return
        entry.open = false
        state.taps = state.taps.filter((other) => other !== entry)
        state.compiled = undefined
        if (state.taps.length === 0 && states.get(hook.id) === state) states.delete(hook.id)
      }
    },
    async call(hook, argument) {
      const state = states.get(hook.id)
      if (state !== undefined && state.taps.length > 0) {
        state.compiled ??= compile(state.taps)
        await state.compiled.promise(argument)
      }
      return argument
    },
    isIdle: (hook: AnyHook) => (states.get(hook.id)?.taps.length ?? 0) === 0,
    describe: () =>
      [...states]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([hook, state]) => ({
          hook,
          taps: state.taps.map(({ plugin, stage }) => ({ plugin, stage })),
        })),
  }
}
