// slider.tsx - a labelled slider that says its value.

interface Props {
  label: string;
  min: number; max: number; step?: number; value: number;
  onInput: (value: number) => void;
  /** The value in words, beside it and for screen readers. */
  text?: string;
  testid?: string;
}

export function Slider({ label, min, max, step = 1, value, onInput, text, testid }: Props) {
  return (
    <label class="slider">
      <span class="slider-label">{label}</span>
      <input type="range" min={min} max={max} step={step} value={value} aria-valuetext={text} data-testid={testid}
        onInput={(e) => onInput(Number(e.currentTarget.value))} />
      <output class="slider-value">{text ?? value}</output>
    </label>
  );
}
