// button.tsx - buttons: with a word, with an icon (then named by `label`), pressed or not.
import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon';

interface Props {
  /** What it does; the name of a button without words, and the tooltip. */
  label: string;
  icon?: IconName;
  children?: ComponentChildren;
  onClick: () => void;
  /** For buttons that stay down. */
  pressed?: boolean;
  disabled?: boolean;
  tone?: 'plain' | 'primary' | 'quiet';
  /** Shown in the tooltip. */
  keys?: string;
  testid?: string;
}

export function Button({ label, icon, children, onClick, pressed, disabled, tone = 'quiet', keys, testid }: Props) {
  return (
    <button type="button" class={`button ${tone}${children ? '' : ' bare'}`} aria-label={children ? undefined : label} aria-pressed={pressed}
      aria-keyshortcuts={keys} disabled={disabled} onClick={onClick} data-tip={keys ? `${label}  (${keys})` : label} data-testid={testid}>
      {icon && <Icon name={icon} />}
      {children && <span>{children}</span>}
    </button>
  );
}
