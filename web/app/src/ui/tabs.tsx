// tabs.tsx - a row of tabs with arrow keys, and the panel below it.
import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { Icon, type IconName } from './icon';

export interface Tab { id: string; title: string; icon?: IconName; badge?: number }

interface Props {
  label: string;
  tabs: Tab[];
  active: string | null;
  onSelect: (id: string) => void;
  /** Beside the tabs, at the end of the row. */
  end?: ComponentChildren;
  children: ComponentChildren;
}

export function Tabs({ label, tabs, active, onSelect, end, children }: Props) {
  const id = useId();
  const row = useRef<HTMLDivElement>(null);
  const onKeyDown = (e: KeyboardEvent): void => {
    const at = tabs.findIndex((t) => t.id === active);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    const tab = tabs[(to + tabs.length) % tabs.length]!;
    onSelect(tab.id);
    row.current?.querySelector<HTMLElement>(`[data-tab="${tab.id}"]`)?.focus();
  };
  return (
    <div class="tabs">
      <div class="tabs-row">
        <div class="tabs-list" role="tablist" aria-label={label} ref={row} onKeyDown={onKeyDown}>
          {tabs.map((tab) => (
            <button type="button" role="tab" key={tab.id} class="tab" id={`${id}-${tab.id}`} data-tab={tab.id} data-testid={`tab-${tab.id}`}
              aria-selected={tab.id === active} aria-controls={`${id}-body`} tabIndex={tab.id === active ? 0 : -1} onClick={() => onSelect(tab.id)}>
              {tab.icon && <Icon name={tab.icon} />}
              <span>{tab.title}</span>
              {!!tab.badge && <span class="badge">{tab.badge}</span>}
            </button>
          ))}
        </div>
        {end}
      </div>
      <div class="tabs-body" role="tabpanel" id={`${id}-body`} aria-labelledby={active ? `${id}-${active}` : undefined} tabIndex={0} data-testid={`panel-${active}`}>
        {children}
      </div>
    </div>
  );
}
