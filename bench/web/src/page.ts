// page.ts - the side of the benchmark in a page: one framework, whose blocks of steps bench/web/run.mjs asks for.
import { WORKLOADS, type Key, type Workload } from './workloads.ts';

/** A workload in a framework. */
export interface Trainer {
  /** Initial parameters and a new optimizer. */
  start(): void | Promise<void>;
  /** One training step. -> what loss() reads */
  step(): unknown;
  /** Waits for the step that gave this. */
  loss(made: unknown): number | Promise<number>;
}
export interface Framework {
  name: string;
  how: string; // how a workload is written in it
  trainer(w: Workload): Trainer | Promise<Trainer>;
  /** Bytes of WebAssembly memory, if it can be known. */
  memory?(): number;
}

declare global {
  interface Window { bench: Bench }
}

export class Bench {
  #current: { key: Key; trainer: Trainer } | null = null;
  readonly framework: Framework;
  readonly readyMs = performance.now(); // from the start of the navigation
  constructor(framework: Framework) { this.framework = framework; }

  get about(): { name: string; how: string; readyMs: number } {
    return { name: this.framework.name, how: this.framework.how, readyMs: this.readyMs };
  }

  async #of(key: Key): Promise<Trainer> {
    if (this.#current?.key !== key) this.#current = { key, trainer: await this.framework.trainer(WORKLOADS[key]) };
    return this.#current.trainer;
  }

  /** The losses of the first, the 10th and the last step of an episode, or of the first two alone. */
  async losses(key: Key, firstTwo = false): Promise<number[]> {
    const t = await this.#of(key), { last } = WORKLOADS[key], seen: number[] = [];
    await t.start();
    for (let i = 1; i <= (firstTwo ? 10 : last); i++) {
      const loss = await t.loss(t.step());
      if (i === 1 || i === 10 || i === last) seen.push(loss);
    }
    return seen;
  }

  /** A block of steps from the initial parameters. -> milliseconds a step */
  async block(key: Key): Promise<number> {
    const t = await this.#of(key), { steps } = WORKLOADS[key];
    await t.start();
    const from = performance.now();
    let made: unknown;
    for (let i = 0; i < steps; i++) made = t.step();
    await t.loss(made);
    return (performance.now() - from) / steps;
  }

  /** Trains for so long, with a pause for the page after each episode. -> steps done */
  async trainFor(key: Key, seconds: number): Promise<number> {
    const t = await this.#of(key), { steps } = WORKLOADS[key], end = performance.now() + 1000 * seconds;
    let done = 0;
    while (performance.now() < end) {
      await t.start();
      let made: unknown;
      for (let i = 0; i < steps; i++, done++) made = t.step();
      await t.loss(made);
      await new Promise((f) => setTimeout(f));
    }
    return done;
  }

  memory(): { wasm: number | null; heap: number | null } {
    const heap = (performance as { memory?: { usedJSHeapSize: number } }).memory?.usedJSHeapSize ?? null;
    return { wasm: this.framework.memory?.() ?? null, heap };
  }
}
