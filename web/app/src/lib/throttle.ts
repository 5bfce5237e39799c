// throttle.ts - work that follows a value which changes often: at most so many times a second, and never two at once.
import { useEffect, useRef, useState } from 'preact/hooks';

/** `value`, renewed at most every `ms` milliseconds; the last one always arrives. */
export function useEvery<T>(value: T, ms: number): T {
  const [shown, set] = useState(value);
  const last = useRef(0);
  useEffect(() => {
    const wait = Math.max(0, last.current + ms - performance.now());
    const timer = setTimeout(() => {
      last.current = performance.now();
      set(() => value);
    }, wait);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return shown;
}

/** What `ask` answers, asked again when a key changes, at most every `ms` milliseconds and one at a time. Null before the first answer. */
export function usePolled<T>(ask: () => Promise<T | null>, keys: readonly unknown[], ms: number): T | null {
  const [answer, set] = useState<T | null>(null);
  const state = useRef({ busy: false, again: false, last: -Infinity, alive: true });
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    state.current.alive = true;
    return () => { state.current.alive = false; };
  }, []);
  useEffect(() => {
    const s = state.current;
    const run = async (): Promise<void> => {
      s.busy = true;
      do {
        s.again = false;
        await new Promise((done) => setTimeout(done, Math.max(0, s.last + ms - performance.now())));
        if (!s.alive) break;
        s.last = performance.now();
        // A refusal (the model was replaced meanwhile, say) leaves what is shown.
        const found = await latest.current().catch(() => null);
        if (s.alive && found !== null) set(() => found);
      } while (s.again && s.alive);
      s.busy = false;
    };
    if (s.busy) s.again = true;
    else void run();
  }, keys);
  return answer;
}
