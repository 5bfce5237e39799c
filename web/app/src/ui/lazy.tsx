// lazy.tsx - components whose code comes after the page's first paint: when they are first shown, or when nothing else is to be done.
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

const waiting = new Set<() => Promise<unknown>>();

/** A component that is loaded when it is first drawn. */
export function lazy(load: () => Promise<ComponentType>): ComponentType {
  let loaded: ComponentType | null = null;
  let loading: Promise<void> | null = null;
  const get = (): Promise<void> => {
    waiting.delete(get);
    loading ??= load().then((component) => { loaded = component; }, () => { loading = null; });
    return loading;
  };
  waiting.add(get);
  return function Lazy() {
    const [, redraw] = useState(0);
    useEffect(() => {
      if (!loaded) void get().then(() => redraw(1));
    }, []);
    const Body = loaded;
    return Body ? <Body /> : <p class="quiet" role="status">Loading</p>;
  };
}

/** Loads what has not been needed yet: so that it is there at once, also when the network is gone. */
export async function loadTheRest(): Promise<void> {
  await Promise.all([...waiting].map((get) => get()));
}
