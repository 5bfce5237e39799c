// timeline.ts - moving through the events of the recorded step.
import { app } from '../state';

const length = (): number => app.get().trace?.events.length ?? 0;

/** Events [0, time) have happened; stops the playback. Moving the timeline means inspecting. */
export function scrubTo(time: number): void {
  const mode = app.get().mode === 'training' ? 'training' : 'inspecting';
  app.set({ time: Math.max(0, Math.min(length(), Math.round(time))), playing: false, mode });
}

export const scrubBy = (events: number): void => scrubTo(app.get().time + events);
export const scrubToStart = (): void => scrubTo(0);
export const scrubToEnd = (): void => scrubTo(length());

/** Plays the step's events, from the begin when it is at the end. */
export function playTimeline(): void {
  const s = app.get();
  if (!s.trace || s.playing) return;
  app.set({ playing: true, mode: 'inspecting', time: s.time >= length() ? 0 : s.time });
  let due = 0;
  let before = performance.now();
  const tick = (now: number): void => {
    const { playing, time, settings } = app.get();
    if (!playing) return;
    due += ((now - before) / 1000) * settings.speed;
    before = now;
    const events = Math.floor(due);
    due -= events;
    const end = length();
    if (events > 0) app.set({ time: Math.min(end, time + events), playing: time + events < end });
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

export const pauseTimeline = (): void => app.set({ playing: false });
export const toggleTimeline = (): void => (app.get().playing ? pauseTimeline() : playTimeline());
