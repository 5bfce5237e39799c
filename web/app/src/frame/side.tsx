// side.tsx - the panels of one side, as tabs.
import { showPanel } from '../actions';
import { panelsOf } from '../panels';
import { app, useApp } from '../state';
import { Button } from '../ui/button';
import { Tabs } from '../ui/tabs';

export function Side({ side }: { side: 'left' | 'right' }) {
  const active = useApp((s) => s[side]);
  const badges = useApp((s) => panelsOf(side).map((p) => p.badge?.(s) ?? 0).join());
  const panels = panelsOf(side);
  const panel = panels.find((p) => p.id === active);
  if (!panel) return <aside class={`side ${side}`} aria-label={`${side} panels`} hidden />;
  const counts = badges ? badges.split(',').map(Number) : panels.map((p) => p.badge?.(app.get()) ?? 0);
  const Body = panel.component;
  return (
    <aside class={`side ${side}`} aria-label={`${side} panels`} data-testid={`side-${side}`}>
      <Tabs label="Panels" tabs={panels.map((p, i) => ({ id: p.id, title: p.title, icon: p.icon, badge: counts[i]! }))} active={active} onSelect={(id) => showPanel(side, id)}
        end={<Button label="Close panel" icon="close" onClick={() => showPanel(side, null)} />}>
        <Body />
      </Tabs>
    </aside>
  );
}
