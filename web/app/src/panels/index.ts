// index.ts - the registry of panels: one line a panel. The frame of the page shows them as tabs of its two sides.
//
// The panel that is open at first comes with the page, the others after it.
import type { ComponentType } from 'preact';
import type { IconName } from '../ui/icon';
import type { State } from '../state';
import { lazy } from '../ui/lazy';
import { FindingsPanel, findingsBadge } from './findings';
import { TrainingPanel } from './training';
import './panels.css';

export interface Panel {
  /** In URLs and tests: data-testid="panel-<id>". */
  id: string;
  title: string;
  icon: IconName;
  side: 'left' | 'right';
  component: ComponentType;
  /** A small number beside the title; 0: none. */
  badge?: (s: State) => number;
}

export const panels: readonly Panel[] = [
  { id: 'gallery', title: 'Gallery', icon: 'gallery', side: 'left', component: lazy(() => import('./gallery').then((m) => m.GalleryPanel)) },
  { id: 'editor', title: 'Model', icon: 'code', side: 'left', component: lazy(() => import('./editor').then((m) => m.EditorPanel)) },
  { id: 'outline', title: 'Outline', icon: 'tree', side: 'left', component: lazy(() => import('./outline').then((m) => m.OutlinePanel)) },
  { id: 'plugins', title: 'Plugins', icon: 'plugin', side: 'left', component: lazy(() => import('./plugins').then((m) => m.PluginsPanel)) },
  { id: 'training', title: 'Training', icon: 'chart', side: 'right', component: TrainingPanel },
  { id: 'inspector', title: 'Tensor', icon: 'grid', side: 'right', component: lazy(() => import('./inspector').then((m) => m.InspectorPanel)) },
  { id: 'formula', title: 'Formula', icon: 'formula', side: 'right', component: lazy(() => import('./formula').then((m) => m.FormulaPanel)) },
  { id: 'findings', title: 'Findings', icon: 'warning', side: 'right', component: FindingsPanel, badge: findingsBadge },
];

export const panelsOf = (side: Panel['side']): Panel[] => panels.filter((p) => p.side === side);
