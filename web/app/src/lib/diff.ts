// diff.ts - two texts line by line: which lines they share, which stand against each other.

export interface DiffRow { left: string | null; right: string | null; leftLine: number; rightLine: number; same: boolean }

/** Length of the longest common subsequence of lines from (i, j) on, for all i and j. */
function common(a: readonly string[], b: readonly string[]): Uint32Array[] {
  const table = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i]![j] = a[i] === b[j] ? table[i + 1]![j + 1]! + 1 : Math.max(table[i + 1]![j]!, table[i]![j + 1]!);
    }
  }
  return table;
}

/** Rows for two columns: lines that differ between the same neighbours stand in one row. */
export function diffLines(left: string, right: string): DiffRow[] {
  const a = left.trimEnd().split('\n'), b = right.trimEnd().split('\n');
  const table = common(a, b);
  const rows: DiffRow[] = [];
  let removed: number[] = [], added: number[] = [];
  const flush = (): void => {
    for (let k = 0; k < Math.max(removed.length, added.length); k++) {
      const [i, j] = [removed[k], added[k]];
      rows.push({ left: i === undefined ? null : a[i]!, right: j === undefined ? null : b[j]!, leftLine: (i ?? -1) + 1, rightLine: (j ?? -1) + 1, same: false });
    }
    removed = [];
    added = [];
  };
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      flush();
      rows.push({ left: a[i]!, right: b[j]!, leftLine: i + 1, rightLine: j + 1, same: true });
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && table[i + 1]![j]! >= table[i]![j + 1]!)) removed.push(i++);
    else added.push(j++);
  }
  flush();
  return rows;
}
