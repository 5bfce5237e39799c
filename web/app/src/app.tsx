// app.tsx - the frame of the page: bar above, a panel side left and right, the graph between them, the timeline below.
import { useEffect } from 'preact/hooks';
import { HelpDialog } from './frame/help';
import { listenToKeys } from './frame/keys';
import { SearchDialog } from './frame/search';
import { Side } from './frame/side';
import { TopBar } from './frame/topbar';
import { GraphView } from './graph/view';
import { useApp } from './state';
import { Timeline } from './timeline/view';
import { Toasts } from './ui/toast';

export function App() {
  const dialog = useApp((s) => s.dialog);
  useEffect(listenToKeys, []);
  return (
    <div class="frame">
      <TopBar />
      <Side side="left" />
      <main class="stage"><GraphView /></main>
      <Side side="right" />
      <Timeline />
      <Toasts />
      {dialog === 'help' && <HelpDialog />}
      {dialog === 'search' && <SearchDialog />}
    </div>
  );
}
