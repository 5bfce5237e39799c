// side.tsx - the panels of one side: as tabs while one is open, else as a rail of icons; on a phone as a sheet, opened from a bar.
import { setSettings, showPanel } from '../actions';
import { type Panel, panels, panelsOf } from '../panels';
import { useApp } from '../state';
import { Button } from '../ui/button';
import { Splitter } from '../ui/splitter';
import { Tabs } from '../ui/tabs';

type SideName = Panel['side'];

const words: Record<SideName, string> = { left: 'Model panels', right: 'Panels about this step' };

/** Numbers beside the titles, as one text so that an unchanged one draws nothing. */
const useBadges = (of: readonly Panel[]): number[] => useApp((s) => of.map((p) => p.badge?.(s) ?? 0).join()).split(',').map(Number);

function OpenButton({ panel, badge }: { panel: Panel; badge: number }) {
  const open = useApp((s) => s[panel.side] === panel.id);
  return (
    <span class="rail-button">
      <Button label={panel.title} icon={panel.icon} pressed={open} onClick={() => showPanel(panel.side, open ? null : panel.id)} testid={`open-${panel.id}`} />
      {badge > 0 && <span class="badge">{badge}</span>}
    </span>
  );
}

function Rail({ of, label }: { of: readonly Panel[]; label: string }) {
  const badges = useBadges(of);
  return <nav class="rail" aria-label={label}>{of.map((p, i) => <OpenButton key={p.id} panel={p} badge={badges[i]!} />)}</nav>;
}

/** The width of a side that nobody has moved, as frame.css has it. */
const fittingWidth = (): number => Math.max(320, Math.min(440, 0.27 * innerWidth));

export function Side({ side, narrow }: { side: SideName; narrow: boolean }) {
  const active = useApp((s) => s[side]);
  const chosen = useApp((s) => (side === 'left' ? s.settings.leftWidth : s.settings.rightWidth));
  const own = panelsOf(side);
  const badges = useBadges(own);
  const panel = own.find((p) => p.id === active);
  if (!panel) return own.length && !narrow ? <aside class={`side closed ${side}`} aria-label={words[side]}><Rail of={own} label={words[side]} /></aside> : null;
  const Body = panel.component;
  const setWidth = (w: number): void => setSettings(side === 'left' ? { leftWidth: w } : { rightWidth: w });
  return (
    <aside class={`side ${side}`} aria-label={words[side]} data-testid={`side-${side}`} style={narrow || !chosen ? {} : { width: `min(${chosen}px, 60vw)` }}>
      {!narrow && <Splitter label="Width of the panel" width={chosen || fittingWidth()} least={260} most={900} way={side === 'left' ? 1 : -1} onWidth={setWidth} />}
      <Tabs label={words[side]} tabs={own.map((p, i) => ({ id: p.id, title: p.title, icon: p.icon, badge: badges[i]! }))} active={panel.id} onSelect={(id) => showPanel(side, id)}
        end={<Button label="Close the panel" icon="close" onClick={() => showPanel(side, null)} testid={`close-${side}`} />}>
        <h2 class="hidden-text">{words[side]}</h2>
        <h3 class="hidden-text">{panel.title}</h3>
        <Body key={panel.id} />
      </Tabs>
    </aside>
  );
}

/** All panels in one row, where there is no room for sides. */
export function PanelBar() {
  return <div class="panel-bar"><Rail of={panels} label="Panels" /></div>;
}
