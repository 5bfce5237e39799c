// app.tsx - the frame of the page: bar above, a panel side left and right, the graph between them, the timeline below.
import { useEffect, useLayoutEffect } from 'preact/hooks';
import { listenToDrops } from './frame/drop';
import { HelpDialog } from './frame/help';
import { listenToKeys } from './frame/keys';
import { SearchDialog } from './frame/search';
import { ShareDialog } from './frame/share';
import { PanelBar, Side } from './frame/side';
import { TopBar } from './frame/topbar';
import { GraphView } from './graph/view';
import { panelsOf } from './panels';
import { app, useApp } from './state';
import { Timeline } from './timeline/view';
import { useNarrow } from './ui/narrow';
import { Toasts } from './ui/toast';

/** A phone begins with the graph alone, a wide page with the first panel beside it. */
export const openSides = (narrow: boolean): void => app.set(narrow ? { left: null, right: null } : { right: app.get().right ?? panelsOf('right')[0]?.id ?? null });

export function App() {
  const dialog = useApp((s) => s.dialog);
  // A step is recorded and drawn and all code is there (tests wait for it), or there is nothing to wait for.
  const ready = useApp((s) => (s.layout !== null && s.complete) || s.engine === 'failed');
  const narrow = useNarrow();
  useLayoutEffect(() => openSides(narrow), [narrow]);
  useEffect(listenToKeys, []);
  useEffect(listenToDrops, []);
  return (
    <div class="frame" data-ready={ready}>
      <TopBar />
      <Side side="left" narrow={narrow} />
      <main class="stage"><GraphView /></main>
      <Side side="right" narrow={narrow} />
      {narrow && <PanelBar />}
      <Timeline />
      <Toasts />
      {dialog === 'help' && <HelpDialog />}
      {dialog === 'search' && <SearchDialog />}
      {dialog === 'share' && <ShareDialog />}
    </div>
  );
}
