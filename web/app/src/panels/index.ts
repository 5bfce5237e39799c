// index.ts - the registry of panels: one line a panel. The frame of the page shows them as tabs of its two sides.
import type { ComponentType } from 'preact';
import type { IconName } from '../ui/icon';
import type { State } from '../state';
import { EditorPanel } from './editor';
import { FindingsPanel, findingsBadge } from './findings';
import { FormulaPanel } from './formula';
import { GalleryPanel } from './gallery';
import { InspectorPanel } from './inspector';
import { PluginsPanel } from './plugins';
import { TrainingPanel } from './training';
import { OutlinePanel } from './outline';
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
  { id: 'gallery', title: 'Gallery', icon: 'gallery', side: 'left', component: GalleryPanel },
  { id: 'editor', title: 'Model', icon: 'code', side: 'left', component: EditorPanel },
  { id: 'outline', title: 'Outline', icon: 'tree', side: 'left', component: OutlinePanel },
  { id: 'plugins', title: 'Plugins', icon: 'plugin', side: 'left', component: PluginsPanel },
  { id: 'training', title: 'Training', icon: 'chart', side: 'right', component: TrainingPanel },
  { id: 'inspector', title: 'Tensor', icon: 'grid', side: 'right', component: InspectorPanel },
  { id: 'formula', title: 'Formula', icon: 'formula', side: 'right', component: FormulaPanel },
  { id: 'findings', title: 'Findings', icon: 'warning', side: 'right', component: FindingsPanel, badge: findingsBadge },
];

export const panelsOf = (side: Panel['side']): Panel[] => panels.filter((p) => p.side === side);
