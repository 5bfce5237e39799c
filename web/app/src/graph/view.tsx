// view.tsx - the graph on its canvas.
import { useApp } from '../state';

export function GraphView() {
  const layout = useApp((s) => s.layout);
  return <p>{layout ? `${layout.boxes.length} boxes` : ''}</p>;
}
