// notices.ts - short messages to the person at the page, and engine failures put into words with what to do about them.
import type { EngineFailure } from '@engine/protocol';
import { app, type Notice } from '../state';

let nextId = 1;

/** Shows a message; one with the same text replaces the older. -> its id. */
export function notify(notice: Omit<Notice, 'id'>): number {
  const id = nextId++;
  const others = app.get().notices.filter((n) => n.text !== notice.text);
  app.set({ notices: [...others.slice(-3), { ...notice, id }] });
  return id;
}

export function dismiss(id: number): void {
  app.set({ notices: app.get().notices.filter((n) => n.id !== id) });
}

const whatToDo: Record<EngineFailure['kind'], string> = {
  error: '',
  trap: 'The engine was started again, with the same model.',
  hang: 'The engine did not answer in time and was started again. A smaller batch or model may help.',
  memory: 'The model needs more memory than the page may have. Try a smaller batch or smaller layers.',
  load: 'The engine could not be loaded. Check the connection and reload the page.',
};

export const isFailure = (e: unknown): e is EngineFailure =>
  typeof e === 'object' && e !== null && 'kind' in e && 'message' in e && typeof e.message === 'string';

/** What was thrown, as an EngineFailure. */
export const failureOf = (e: unknown): EngineFailure =>
  isFailure(e) ? e : { kind: 'error', message: e instanceof Error ? e.message : String(e) };

/** Tells what failed; `doing` says what the page was at: "Recording the step". */
export function notifyFailure(e: unknown, doing: string): void {
  const failure = failureOf(e);
  notify({ tone: 'error', text: `${doing} failed: ${failure.message}`, hint: whatToDo[failure.kind], sticky: true });
}
