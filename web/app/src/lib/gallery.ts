// gallery.ts - the models and the pairs of mistakes that come with the page: the files of examples/, bundled when it is built.
const modelFiles = import.meta.glob<string>('../../../../examples/models/*.ebb', { query: '?raw', import: 'default', eager: true });
const mistakeFiles = import.meta.glob<string>('../../../../examples/mistakes/*.ebb', { query: '?raw', import: 'default', eager: true });

export interface GalleryModel { id: string; title: string; line: string; watch: string; text: string }
export interface Mistake { id: string; title: string; wrong: string; why: string; fix: string; watch: string; broken: string; fixed: string }

/** Names of the parts that comments at the begin of a text have: "Why: ..." -> why. */
const PARTS = { 'What goes wrong': 'wrong', Why: 'why', 'The fix': 'fix', Watch: 'watch' } as const;
type Part = (typeof PARTS)[keyof typeof PARTS];

/** "learning_rate" -> "Learning rate". */
export const titleOf = (id: string): string => {
  const words = id.replace(/[-_]/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};

export interface Opening { first: string; parts: Record<Part, string>; /** The text behind the comments it begins with. */ rest: string }

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The comments a text begins with: the first line, and the parts that are named. Lines without a name go on with the part before. */
export function opening(text: string): Opening {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('#'));
  const [first = '', ...others] = lines.slice(0, end < 0 ? lines.length : end).map((line) => line.replace(/^#+\s*/, '').trim());
  const parts: Record<Part, string> = { wrong: '', why: '', fix: '', watch: '' };
  let part: Part = 'watch';
  for (const line of others) {
    const found = /^(What goes wrong|Why|The fix|Watch)\b(?:: )?(.*)$/.exec(line);
    if (found) part = PARTS[found[1] as keyof typeof PARTS];
    // "Watch the loss" is a sentence, the others are headings.
    const words = found && part !== 'watch' ? found[2]! : line;
    parts[part] = `${parts[part]} ${words}`.trim();
  }
  for (const name of Object.keys(parts) as Part[]) parts[name] = sentence(parts[name]);
  return { first, parts, rest: (end < 0 ? '' : lines.slice(end).join('\n')).trim() };
}

const stem = (path: string): string => /([^/]+)\.ebb$/.exec(path)?.[1] ?? path;

/** "Moons: two half circles." has its title before the colon. */
function modelOf(id: string, text: string): GalleryModel {
  const { first, parts } = opening(text);
  const [, title, line] = /^([^:.]{2,40}): (.+)$/.exec(first) ?? [];
  return { id, title: title ?? titleOf(id), line: sentence(line ?? first), watch: parts.watch, text };
}

export const galleryModels: readonly GalleryModel[] = Object.entries(modelFiles).map(([path, text]) => modelOf(stem(path), text));

/** Pairs by name: x_broken and x_fixed. What lacks its other half is left out. */
export function pairs(files: Record<string, string>): Mistake[] {
  const byName = new Map(Object.entries(files).map(([path, text]) => [stem(path), text]));
  return [...byName].flatMap(([name, broken]) => {
    const id = /^(.*)_broken$/.exec(name)?.[1];
    const fixed = id && byName.get(`${id}_fixed`);
    if (!id || !fixed) return [];
    const { first, parts } = opening(broken);
    return [{ id, title: first.replace(/\.$/, ''), ...parts, watch: opening(fixed).parts.watch, broken, fixed }];
  });
}

export const mistakes: readonly Mistake[] = pairs(mistakeFiles);
