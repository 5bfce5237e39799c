// finding.tsx - one finding of the diagnoses: what is wrong, why, with the numbers, and what to do; severity by icon and word.
import type { ComponentChildren } from 'preact';
import type { Finding } from '@engine/protocol';
import { Icon, type IconName } from '../ui/icon';

export const severities: Record<Finding['severity'], { word: string; icon: IconName; order: number }> = {
  error: { word: 'Error', icon: 'warning', order: 0 },
  warning: { word: 'Warning', icon: 'warning', order: 1 },
  note: { word: 'Note', icon: 'info', order: 2 },
};

/** Children: what one can do with it. */
export function FindingCard({ finding: f, children }: { finding: Finding; children?: ComponentChildren }) {
  const { word, icon } = severities[f.severity];
  return (
    <article class={`finding ${f.severity}`} data-testid="finding" data-code={f.code}>
      <h4><Icon name={icon} /><span class="finding-word">{word}</span>{f.title}</h4>
      {f.cause && <p>{f.cause}</p>}
      {f.advice && <p class="finding-advice"><span class="muted">What to do: </span>{f.advice}</p>}
      {children && <div class="tools">{children}</div>}
    </article>
  );
}
