// tooltip.ts - one tooltip for the whole page: any element with data-tip shows it on hover and on keyboard focus.

const DELAY_MS = 400;

export function startTooltips(root: HTMLElement): void {
  const tip = document.createElement('div');
  tip.className = 'tooltip';
  tip.setAttribute('role', 'tooltip');
  tip.hidden = true;
  root.append(tip);
  let timer = 0;

  const hide = (): void => {
    clearTimeout(timer);
    tip.hidden = true;
  };
  const show = (element: Element): void => {
    const text = element.getAttribute('data-tip');
    if (!text) return;
    tip.textContent = text;
    tip.hidden = false;
    const at = element.getBoundingClientRect();
    const { width, height } = tip.getBoundingClientRect();
    const below = at.bottom + height + 8 < innerHeight;
    tip.style.left = `${Math.max(4, Math.min(innerWidth - width - 4, at.left + at.width / 2 - width / 2))}px`;
    tip.style.top = `${below ? at.bottom + 6 : at.top - height - 6}px`;
  };
  const target = (e: Event): Element | null => (e.target instanceof Element ? e.target.closest('[data-tip]') : null);

  document.addEventListener('pointerover', (e) => {
    hide();
    const element = target(e);
    if (element && e.pointerType === 'mouse') timer = window.setTimeout(() => show(element), DELAY_MS);
  });
  document.addEventListener('focusin', (e) => {
    hide();
    const element = target(e);
    if (element?.matches(':focus-visible')) show(element);
  });
  for (const kind of ['focusout', 'pointerdown', 'keydown', 'scroll']) document.addEventListener(kind, hide, { capture: true, passive: true });
}
