// store.ts - an observable value and the hook that draws from it: all of the page's shared state goes through one of these.
import { useLayoutEffect, useReducer, useRef } from 'preact/hooks';

export interface Store<T> {
  get(): T;
  /** Replaces the named fields; listeners run when at least one of them is another value. */
  set(change: Partial<T>): void;
  /** Runs after every change, until the returned function is called. */
  subscribe(listener: () => void): () => void;
}

export function createStore<T extends object>(initial: T): Store<T> {
  let state = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => state,
    set(change) {
      const keys = Object.keys(change) as (keyof T)[];
      if (keys.every((key) => Object.is(state[key], change[key]))) return;
      state = { ...state, ...change };
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** What `pick` makes of the state; draws again only when that is another value (so it must not make new objects of its own). */
export function useStore<T extends object, U>(store: Store<T>, pick: (state: T) => U): U {
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const value = pick(store.get());
  const seen = useRef({ pick, value });
  seen.current = { pick, value };
  useLayoutEffect(() => {
    const look = (): void => {
      if (!Object.is(seen.current.pick(store.get()), seen.current.value)) redraw(0);
    };
    look();
    return store.subscribe(look);
  }, [store]);
  return value;
}

/** Calls `listener` with the new and the old value of `pick` when that changes, and not at first. */
export function watch<T extends object, U>(store: Store<T>, pick: (state: T) => U, listener: (now: U, before: U) => void): () => void {
  let before = pick(store.get());
  return store.subscribe(() => {
    const now = pick(store.get());
    if (Object.is(now, before)) return;
    const old = before;
    before = now;
    listener(now, old);
  });
}
