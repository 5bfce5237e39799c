// toolbar.tsx - the graph's own buttons, over its upper right corner.
import { closeAllGroups, openAllGroups, setDirection, setSettings, showDialog } from '../actions';
import { useApp } from '../state';
import { Button } from '../ui/button';
import { fitAll, zoomBy } from './viewstate';

export function Toolbar() {
  const settings = useApp((s) => s.settings);
  const groups = useApp((s) => (s.trace?.groups.length ?? 0) > 0);
  return (
    <div class="card toolbar" role="toolbar" aria-label="Graph" aria-orientation="vertical">
      <Button label="Search" icon="search" keys="/" onClick={() => showDialog('search')} testid="search" />
      <Button label="Zoom in" icon="plus" keys="+" onClick={() => zoomBy(1.3)} testid="zoom-in" />
      <Button label="Zoom out" icon="minus" keys="-" onClick={() => zoomBy(1 / 1.3)} testid="zoom-out" />
      <Button label="Show everything" icon="fit" keys="f" onClick={fitAll} testid="fit" />
      <hr />
      <Button label="Gradients on the edges" icon="flow" keys="g" pressed={settings.flow} onClick={() => setSettings({ flow: !settings.flow })} testid="flow" />
      <Button label={settings.right ? 'Draw from top to bottom' : 'Draw from left to right'} icon={settings.right ? 'rotate' : 'rotateRight'} onClick={() => void setDirection(!settings.right)} testid="direction" />
      <Button label="Small map" icon="map" pressed={settings.minimap} onClick={() => setSettings({ minimap: !settings.minimap })} testid="map" />
      {groups && (
        <>
          <hr />
          <Button label="Open all groups" icon="expand" onClick={() => void openAllGroups()} testid="open-all" />
          <Button label="Close all groups" icon="collapse" onClick={() => void closeAllGroups()} testid="close-all" />
        </>
      )}
    </div>
  );
}
