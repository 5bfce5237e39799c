// explore.ts - looking closer: what leads to a thing and what it leads to, what changed, what a search finds.
import { diffOf } from '../diff';
import { type Direction, lineageOf } from '../lineage';
import { app, type Ref, sameRef } from '../state';
import { watch } from '../store';
import { openAround } from './record';
import { select } from './select';
import { setSettings } from './settings';

/** Lets ancestors ('up') or descendants ('down') of the selection stand out; the same once more, or null, ends it. */
export function traceLineage(direction: Direction | null): void {
  const { trace, selection, lineage } = app.get();
  if (!trace || !selection || !direction || (lineage?.direction === direction && sameRef(lineage.of, selection))) app.set({ lineage: null });
  else app.set({ lineage: lineageOf(trace, selection, direction) });
}

/** Marks what changed since the record before, or no longer. */
export function setDiff(on: boolean): void {
  setSettings({ diff: on });
  updateDiff();
}

function updateDiff(): void {
  const { settings, trace, previous } = app.get();
  app.set({ diff: settings.diff && trace && previous ? diffOf(trace, previous, settings.diffKind) : null });
}

watch(app, (s) => s.trace, () => {
  updateDiff();
  if (app.get().lineage) app.set({ lineage: null });
});
watch(app, (s) => s.previous, updateDiff);
watch(app, (s) => s.settings.diffKind, updateDiff);

/** Selects a thing, and opens the closed groups around it so that it can be seen. */
export async function goTo(ref: Ref): Promise<void> {
  await openAround(ref);
  select(ref);
}
