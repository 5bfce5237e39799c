// splitter.tsx - the edge of a side that can be dragged, or moved with the arrow keys.

interface Props { label: string; width: number; least: number; most: number; /** 1: grows to the right; -1: to the left. */ way: 1 | -1; onWidth: (width: number) => void }

const STEP_PX = 16;

export function Splitter({ label, width, least, most, way, onWidth }: Props) {
  const set = (w: number): void => onWidth(Math.round(Math.max(least, Math.min(most, w))));
  const onPointerDown = (e: PointerEvent): void => {
    const handle = e.currentTarget as HTMLElement;
    const from = e.clientX;
    handle.setPointerCapture(e.pointerId);
    const move = (m: PointerEvent): void => set(width + way * (m.clientX - from));
    const up = (): void => {
      handle.removeEventListener('pointermove', move);
      handle.removeEventListener('pointerup', up);
      handle.removeEventListener('pointercancel', up);
    };
    handle.addEventListener('pointermove', move);
    handle.addEventListener('pointerup', up);
    handle.addEventListener('pointercancel', up);
  };
  const onKeyDown = (e: KeyboardEvent): void => {
    const step = { ArrowRight: way, ArrowLeft: -way }[e.key];
    if (!step) return;
    e.preventDefault();
    e.stopPropagation();
    set(width + step * STEP_PX);
  };
  return (
    <div class="splitter" role="separator" tabIndex={0} aria-orientation="vertical" aria-label={label} aria-valuemin={least} aria-valuemax={most} aria-valuenow={width}
      onPointerDown={onPointerDown} onKeyDown={onKeyDown} onDblClick={() => onWidth(0)} />
  );
}
