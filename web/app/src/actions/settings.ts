// settings.ts - what the person prefers, kept in this browser.
import { app, defaultSettings, type Settings } from '../state';

const KEY = 'ebb.settings';

export function setSettings(change: Partial<Settings>): void {
  const settings = { ...app.get().settings, ...change };
  app.set({ settings });
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // Storage may be refused (private windows, files): the setting then lasts as long as the page.
  }
}

/** Reads what was kept; fields of another type than ours are left out. */
export function loadSettings(): void {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    if (typeof kept !== 'object' || kept === null) return;
    const fits = Object.entries(kept).filter(([key, value]) => typeof value === typeof defaultSettings[key as keyof Settings]);
    app.set({ settings: { ...defaultSettings, ...(Object.fromEntries(fits) as Partial<Settings>) } });
  } catch {
    // As above, or a text that is not JSON: the defaults stay.
  }
}
