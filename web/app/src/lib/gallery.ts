// gallery.ts - the models and the pairs of mistakes that come with the page: the files of examples/, bundled when it is built.
const modelFiles = import.meta.glob<string>('../../../../examples/models/*.ebb', { query: '?raw', import: 'default', eager: true });
const mistakeFiles = import.meta.glob<string>('../../../../examples/mistakes/*.ebb', { query: '?raw', import: 'default', eager: true });

export interface GalleryModel { id: string; title: string; line: string; about: string; text: string }
export interface Mistake { id: string; title: string; line: string; about: string; broken: string; fixed: string }

/** "learning_rate" -> "Learning rate". */
export const titleOf = (id: string): string => {
  const words = id.replace(/^\d+[-_]/, '').replace(/[-_]/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/** The comments a text begins with: the first line, and the rest. */
export function opening(text: string): { line: string; about: string } {
  const comments: string[] = [];
  for (const line of text.split('\n')) {
    if (!line.startsWith('#')) break;
    comments.push(line.replace(/^#+\s*/, '').trimEnd());
  }
  return { line: comments[0] ?? '', about: comments.slice(1).join(' ').trim() };
}

const stem = (path: string): string => /([^/]+)\.ebb$/.exec(path)?.[1] ?? path;

export const galleryModels: readonly GalleryModel[] = Object.entries(modelFiles)
  .map(([path, text]) => ({ id: stem(path), title: titleOf(stem(path)), ...opening(text), text }));

/** Pairs by name: x_broken and x_fixed. What lacks its other half is left out. */
export function pairs(files: Record<string, string>): Mistake[] {
  const byName = new Map(Object.entries(files).map(([path, text]) => [stem(path), text]));
  return [...byName].flatMap(([name, broken]) => {
    const id = /^(.*)_broken$/.exec(name)?.[1];
    const fixed = id && byName.get(`${id}_fixed`);
    return id && fixed ? [{ id, title: titleOf(id), ...opening(broken), broken, fixed }] : [];
  });
}

export const mistakes: readonly Mistake[] = pairs(mistakeFiles);
