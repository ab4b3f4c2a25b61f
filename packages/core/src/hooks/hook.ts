declare const argument: unique symbol

/**
 * A named moment of an operation that others may change or veto. The operation's owner declares and calls it;
 * plugins tap it through `ctx.tap`. Taps are asynchronous, take one object, and run one after the other:
 * all of stage `pre`, then `main`, then `post`; within a stage in the order of their slots' names.
 * An error thrown by a tap ends the call and names the plugin and the hook.
 */
export interface Hook<T extends object> {
  /** `owner/moment`, such as `scheduler/filter`. */
  readonly id: string
  readonly [argument]?: T
}

export type HookStage = 'pre' | 'main' | 'post'

export interface TapOptions {
  readonly stage?: HookStage
}

/** A tap may change its argument; what it returns is ignored. */
export type Tap<T extends object> = (argument: T) => void | Promise<void>

// biome-ignore lint/suspicious/noExplicitAny: types are erased in maps of hooks on purpose
export type AnyHook = Hook<any>

export const hook = <T extends object>(id: `${string}/${string}`): Hook<T> => ({
  id,
})

/** Calls and lists the taps of hooks; one per host, behind a capability-free handle on the plugin context. */
export interface Hooks {
  tap<T extends object>(hook: Hook<T>, plugin: string, tap: Tap<T>, options?: TapOptions): () => void
  call<T extends object>(hook: Hook<T>, argument: T): Promise<T>
  /** True when nobody taps: lets a hot path skip building the argument. */
  isIdle(hook: AnyHook): boolean
  /** Every tapped hook with its taps in calling order, for `plan`. */
  describe(): readonly {
    readonly hook: string
    readonly taps: readonly {
      readonly plugin: string
      readonly stage: HookStage
    }[]
  }[]
}
