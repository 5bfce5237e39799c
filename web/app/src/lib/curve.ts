// curve.ts - curves for drawing: smoothed, and thinned to what a screen can show.

/**
 * Exponential moving average; `weight` in [0, 1): how much of the past stays. Without the pull towards zero at the begin. What is not finite stays where it
 * is and does not touch the average.
 */
export function smooth(values: ArrayLike<number>, weight: number): Float64Array {
  const out = new Float64Array(values.length);
  let average = 0;
  let seen = 0;
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    if (!Number.isFinite(v)) {
      out[i] = v;
      continue;
    }
    average = weight * average + (1 - weight) * v;
    seen = weight * seen + (1 - weight);
    out[i] = average / seen;
  }
  return out;
}

/** Places to draw, at most about `most`: of each bucket its least and its greatest value, so that no spike disappears; NaN where a bucket has none. */
export function thin(values: ArrayLike<number>, length: number, most: number): number[] {
  if (length <= most) return Array.from({ length }, (_, i) => i);
  const buckets = Math.max(1, most >> 1);
  const places: number[] = [];
  for (let b = 0; b < buckets; b++) {
    const from = Math.floor((b * length) / buckets), to = Math.floor(((b + 1) * length) / buckets);
    let low = from, high = from;
    for (let i = from; i < to; i++) {
      if (!(values[i]! >= values[low]!)) low = Number.isNaN(values[i]!) ? low : i;
      if (!(values[i]! <= values[high]!)) high = Number.isNaN(values[i]!) ? high : i;
    }
    places.push(Math.min(low, high));
    if (low !== high) places.push(Math.max(low, high));
  }
  if (places.at(-1) !== length - 1) places.push(length - 1);
  return places;
}
