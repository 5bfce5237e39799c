// narrow.ts - whether there is room for sides: the one width at which the page takes its form for phones (frame.css says the same).
import { useEffect, useState } from 'preact/hooks';

const query = (): MediaQueryList => matchMedia('(max-width: 760px)');

export const isNarrow = (): boolean => query().matches;

export function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(isNarrow);
  useEffect(() => {
    const list = query();
    const change = (): void => setNarrow(list.matches);
    list.addEventListener('change', change);
    return () => list.removeEventListener('change', change);
  }, []);
  return narrow;
}
