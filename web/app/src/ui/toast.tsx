// toast.tsx - the notices: spoken politely (errors at once), each with what to do, gone after a while unless they must be read.
import { useEffect } from 'preact/hooks';
import { dismiss } from '../actions/notices';
import { type Notice, useApp } from '../state';
import { Button } from './button';
import { Icon, type IconName } from './icon';

const icons: Record<Notice['tone'], IconName> = { info: 'info', good: 'check', warning: 'warning', error: 'warning' };
const SHOWN_MS = 6000;

function Toast({ notice }: { notice: Notice }) {
  const { id, tone, text, hint, action, sticky } = notice;
  useEffect(() => {
    if (sticky) return;
    const timer = setTimeout(() => dismiss(id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [id, sticky]);
  return (
    <div class={`toast ${tone}`} role={tone === 'error' ? 'alert' : 'status'} data-testid="notice">
      <Icon name={icons[tone]} />
      <div class="toast-text">
        <p>{text}</p>
        {hint && <p class="hint">{hint}</p>}
      </div>
      {action && <Button label={action.label} tone="plain" onClick={() => { dismiss(id); action.run(); }}>{action.label}</Button>}
      <Button label="Dismiss" icon="close" onClick={() => dismiss(id)} />
    </div>
  );
}

export function Toasts() {
  const notices = useApp((s) => s.notices);
  return <div class="toasts" aria-live="polite" aria-relevant="additions">{notices.map((n) => <Toast key={n.id} notice={n} />)}</div>;
}
