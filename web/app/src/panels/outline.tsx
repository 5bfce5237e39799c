// outline.tsx - panel: the graph as a tree of groups and nodes.
import { useApp } from '../state';

export function OutlinePanel() {
  const trace = useApp((s) => s.trace);
  return <p>{trace ? `${trace.nodes.length} nodes` : 'No step is recorded yet.'}</p>;
}
