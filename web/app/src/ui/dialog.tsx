// dialog.tsx - a modal dialog: the browser's own, so that focus stays inside and Escape closes it.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Button } from './button';

interface Props { title: string; onClose: () => void; children: ComponentChildren; testid?: string; wide?: boolean }

export function Dialog({ title, onClose, children, testid, wide }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current!;
    const before = document.activeElement;
    element.showModal();
    return () => {
      element.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  const onBackdrop = (e: MouseEvent): void => {
    if (e.target === dialog.current) onClose();
  };
  return (
    <dialog ref={dialog} class={wide ? 'dialog wide' : 'dialog'} aria-labelledby={id} onCancel={(e) => { e.preventDefault(); onClose(); }} onClick={onBackdrop} data-testid={testid}>
      <div class="dialog-inner">
        <header class="dialog-head">
          <h2 id={id}>{title}</h2>
          <Button label="Close" icon="close" onClick={onClose} />
        </header>
        <div class="dialog-body">{children}</div>
      </div>
    </dialog>
  );
}
