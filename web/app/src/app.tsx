// app.tsx - the frame of the page: bar above, a panel side left and right, the graph between them, the timeline below.
import { GraphView } from './graph/view';
import { TopBar } from './frame/topbar';
import { Side } from './frame/side';
import { Timeline } from './timeline/view';
import { Toasts } from './ui/toast';

export function App() {
  return (
    <div class="frame">
      <TopBar />
      <Side side="left" />
      <main class="stage"><GraphView /></main>
      <Side side="right" />
      <Timeline />
      <Toasts />
    </div>
  );
}
