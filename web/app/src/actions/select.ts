// select.ts - what is selected and hovered, and which panels and dialogs are open.
import { isNarrow } from '../ui/narrow';
import { app, type Ref, sameRef, type State } from '../state';

export function select(ref: Ref | null): void {
  if (!sameRef(app.get().selection, ref)) app.set({ selection: ref });
}

/** Selects what was pointed at, and shows its tensor where the panels are about the training. */
export function selectAndShow(ref: Ref | null): void {
  select(ref);
  if (ref && (app.get().right === 'training' || app.get().right === 'findings') && !isNarrow()) app.set({ right: 'inspector' });
}

export function hover(ref: Ref | null): void {
  if (!sameRef(app.get().hover, ref)) app.set({ hover: ref });
}

/** Opens a panel of one side, or closes the side (null). Where the screen is narrow, one side is open at a time. */
export function showPanel(side: 'left' | 'right', id: string | null): void {
  const other = id !== null && isNarrow() ? null : app.get()[side === 'left' ? 'right' : 'left'];
  app.set(side === 'left' ? { left: id, right: other } : { right: id, left: other });
}

export const showDialog = (dialog: State['dialog']): void => app.set({ dialog });
