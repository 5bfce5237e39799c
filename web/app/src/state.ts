// state.ts - everything the page knows, in one observable value. Only actions change it; components and the canvas read it.
//
// Invariants: trace === frames[frame]?.trace ?? null; 0 <= time <= trace.events.length; a selection names an index of the trace's tables;
// layout belongs to trace (its ids are the trace's), or is null while it is being made.
import type { EngineFailure, Layout, ModelInfo, Problem, Trace } from '@engine/protocol';
import { type Curves, emptyCurves } from './curves';
import type { Diff, DiffKind } from './diff';
import type { Lineage } from './lineage';
import { createStore, useStore } from './store';

/** training: steps run. paused: nothing runs. inspecting: paused, and the timeline moves through a recorded step. */
export type Mode = 'training' | 'paused' | 'inspecting';

export interface Ref { kind: 'node' | 'tensor' | 'group'; id: number }

export interface Notice {
  id: number; tone: 'info' | 'good' | 'warning' | 'error';
  text: string; hint?: string;
  action?: { label: string; run(): void };
  /** Stays until it is dismissed. */
  sticky?: boolean;
}

/** One recorded step: frame `index` of `file`. `live`: the engine still has its tensors whole (engine.window, engine.derivative). */
export interface Frame { file: ArrayBuffer; index: number; trace: Trace; live: boolean }

export type Theme = 'system' | 'light' | 'dark';

export interface Settings {
  theme: Theme;
  /** Gradient flow on the edges. */
  flow: boolean;
  /** Badges of what changed since the record before. */
  diff: boolean; diffKind: DiffKind;
  /** From left to right instead of from top to bottom. */
  right: boolean;
  minimap: boolean;
  /** Events a second of the timeline's playback. */
  speed: number;
  /** Widths of the sides (px); 0: what fits the page. */
  leftWidth: number; rightWidth: number;
  /** Steps a second while training; 0: as many as possible. */
  pace: number;
  /** Large models train on all cores, where the page may. */
  threads: boolean;
}

export interface Model { name: string; text: string; info: ModelInfo | null; problem: Problem | null }

export interface State {
  engine: 'starting' | 'ready' | 'failed';
  failure: EngineFailure | null;
  /** The page's own code is all there: nothing more is fetched to use it. */
  complete: boolean;
  model: Model;
  mode: Mode;
  /** Changed in place; curvesVersion tells when. */
  curves: Curves; curvesVersion: number;
  stepsDone: number; stepsPerSecond: number; loss: number;
  /** The record is being made. */
  recording: boolean;
  frames: Frame[]; frame: number;
  trace: Trace | null;
  /** What the current trace is compared with. */
  previous: Trace | null;
  layout: Layout | null;
  /** One byte a group of the trace; see GROUP_OPEN. */
  open: Uint8Array | null;
  /** Events [0, time) of the trace have happened. */
  time: number;
  /** The timeline plays by itself. */
  playing: boolean;
  selection: Ref | null; hover: Ref | null;
  /** What the search has found, for the graph to mark. */
  found: readonly Ref[];
  /** Ancestors or descendants that stand out, the rest is dimmed. */
  lineage: Lineage | null;
  /** What changed since `previous`, while settings.diff is on. */
  diff: Diff | null;
  /** The active panel of each side; null: closed. */
  left: string | null; right: string | null;
  dialog: 'help' | 'search' | 'share' | null;
  settings: Settings;
  notices: Notice[];
}

export const defaultSettings: Settings = { theme: 'system', flow: false, diff: false, diffKind: 'grad', right: false, minimap: true, speed: 12, leftWidth: 0, rightWidth: 0, pace: 200, threads: true };

export const initialState = (): State => ({
  engine: 'starting', failure: null, complete: false,
  model: { name: '', text: '', info: null, problem: null },
  mode: 'paused', curves: emptyCurves(0), curvesVersion: 0, stepsDone: 0, stepsPerSecond: 0, loss: NaN,
  recording: false, frames: [], frame: -1, trace: null, previous: null, layout: null, open: null, time: 0, playing: false,
  selection: null, hover: null, found: [], lineage: null, diff: null, left: null, right: null, dialog: null, settings: defaultSettings, notices: [],
});

export const app = createStore<State>(initialState());

/** The page's state in a component: `const mode = useApp((s) => s.mode)`. */
export const useApp = <U>(pick: (s: State) => U): U => useStore(app, pick);

export const sameRef = (a: Ref | null, b: Ref | null): boolean => a === b || (!!a && !!b && a.kind === b.kind && a.id === b.id);
