// drop.ts - files dropped anywhere on the page: each kind goes to who knows it.
import { notify, openTrace, TRACE_ENDING } from '../actions';

export interface DropTarget { accepts(name: string): boolean; take(file: File): void }

const targets: DropTarget[] = [{ accepts: (name) => name.endsWith(TRACE_ENDING), take: (file) => void openTrace(file) }];

/** Makes another kind of file welcome. */
export const acceptFiles = (target: DropTarget): void => void targets.push(target);

export function listenToDrops(): () => void {
  let depth = 0;
  const mark = (): void => { document.documentElement.toggleAttribute('data-dropping', depth > 0); };
  const carries = (e: DragEvent): boolean => e.dataTransfer?.types.includes('Files') ?? false;
  const enter = (e: DragEvent): void => { if (carries(e)) { depth++; mark(); } };
  const leave = (): void => { depth = Math.max(0, depth - 1); mark(); };
  const over = (e: DragEvent): void => { if (carries(e)) e.preventDefault(); };
  const drop = (e: DragEvent): void => {
    depth = 0;
    mark();
    if (e.defaultPrevented || !carries(e)) return;
    e.preventDefault();
    for (const file of e.dataTransfer!.files) {
      const target = targets.find((t) => t.accepts(file.name.toLowerCase()));
      if (target) target.take(file);
      else notify({ tone: 'warning', text: `${file.name} is no file this page can open.`, hint: `Trace files end in ${TRACE_ENDING}, plugins in .wasm.` });
    }
  };
  document.addEventListener('dragenter', enter);
  document.addEventListener('dragleave', leave);
  document.addEventListener('dragover', over);
  document.addEventListener('drop', drop);
  return () => {
    document.removeEventListener('dragenter', enter);
    document.removeEventListener('dragleave', leave);
    document.removeEventListener('dragover', over);
    document.removeEventListener('drop', drop);
  };
}
