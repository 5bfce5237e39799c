// scrubber.tsx - the track one can drag: a slider for hands, keys and screen readers.
import { useEffect, useRef, useState } from 'preact/hooks';
import { scrubTo } from '../actions';
import { describeEvent, duration } from '../format';
import { getPalette, onPalette } from '../graph/palette';
import { app, useApp } from '../state';
import { watch } from '../store';
import { drawTrack, eventAt, eventX } from './track';

interface Hover { event: number; x: number }

export function Scrubber() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const redraw = useRef<() => void>(() => undefined);
  const hovered = useRef<number | null>(null);
  const [hover, setHover] = useState<Hover | null>(null);
  const trace = useApp((s) => s.trace);
  const time = useApp((s) => s.time);
  const length = trace?.events.length ?? 0;

  useEffect(() => {
    const element = canvas.current!;
    const context = element.getContext('2d')!;
    let frame = 0;
    const draw = (): void => {
      frame = 0;
      const { clientWidth: w, clientHeight: h } = element;
      const width = Math.round(w * devicePixelRatio), height = Math.round(h * devicePixelRatio);
      if (element.width !== width || element.height !== height) { element.width = width; element.height = height; }
      context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
      drawTrack(context, w, h, app.get().trace, app.get().time, hovered.current, getPalette());
    };
    const schedule = (): void => { frame ||= requestAnimationFrame(draw); };
    redraw.current = schedule;
    const size = new ResizeObserver(() => { cancelAnimationFrame(frame); draw(); });
    size.observe(element);
    const stops = [watch(app, (s) => s.time, schedule), watch(app, (s) => s.trace, schedule), onPalette(schedule)];
    return () => { size.disconnect(); cancelAnimationFrame(frame); stops.forEach((stop) => stop()); };
  }, []);

  const eventUnder = (e: PointerEvent): Hover => {
    const r = canvas.current!.getBoundingClientRect();
    const event = Math.max(0, Math.min(length, Math.round(eventAt(e.clientX - r.left, length, r.width))));
    return { event, x: eventX(event, length, r.width) };
  };
  const onMove = (e: PointerEvent): void => {
    const at = eventUnder(e);
    if (e.buttons & 1 && canvas.current!.hasPointerCapture(e.pointerId)) scrubTo(at.event);
    hovered.current = at.event;
    redraw.current();
    if (at.event !== hover?.event) setHover(at);
  };
  const onLeave = (): void => { hovered.current = null; redraw.current(); setHover(null); };
  const onDown = (e: PointerEvent): void => {
    canvas.current!.setPointerCapture(e.pointerId);
    scrubTo(eventUnder(e).event);
  };

  const words = trace && time > 0 ? describeEvent(trace, time - 1) : null;
  const hint = trace && hover && hover.event > 0 ? describeEvent(trace, hover.event - 1) : null;
  return (
    <div class="scrubber" role="slider" tabIndex={0} aria-label="Time within the step" aria-valuemin={0} aria-valuemax={length} aria-valuenow={time}
      aria-valuetext={words ? `event ${time} of ${length}: ${words.phase}, ${words.text}` : `before the first of ${length} events`} data-testid="scrubber">
      <canvas ref={canvas} onPointerDown={onDown} onPointerMove={onMove} onPointerLeave={onLeave} />
      {hint && trace && (
        <div class="scrub-tip" style={{ left: `clamp(130px, ${hover!.x}px, calc(100% - 130px))` }}>
          <b class={hint.phase}>{hint.phase}</b> {hint.text} <span class="number">{duration(trace.events[hover!.event - 1]!.seconds)}</span>
        </div>
      )}
    </div>
  );
}
