import { cloneJson } from '../schema/json-value.ts'
import type { DeepReadonly } from './object.ts'

/** A private deep copy of a shared object. */
export const mutableCopy = <T>(value: T | DeepReadonly<T>): T => cloneJson(value) as T
