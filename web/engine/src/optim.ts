// optim.ts - optimizers: plugins of the engine, by name.
import { attrsText, type Attrs } from './attrs.ts';
import type { Session } from './session.ts';
import type { Tensor } from './tensor.ts';

export class Optimizer {
  readonly #e: Session;
  readonly #pointer: number;
  #open = true;

  /** @internal Use session.optim(). */
  constructor(e: Session, name: string, attrs: Attrs = {}, over?: readonly Tensor[]) {
    const w = e.wasm;
    this.#e = e;
    this.#pointer = w.frame(() => {
      const named = w.text(name), text = w.text(attrsText(attrs));
      return over ? w.x.ebb_optim_over(e.pointer, named, text, over.length, w.pointers(over.map((t) => t.live))) : w.x.ebb_optim_new(e.pointer, named, text);
    });
    if (!this.#pointer) throw e.failure()!;
  }

  /** Gradients become absent. */
  zeroGrad(): void {
    this.#e.gradsChange();
    this.#e.check(this.#e.wasm.x.ebb_zero_grad(this.#pointer));
  }
  /** One step of every parameter that has a gradient. */
  step(): void { this.#e.check(this.#e.wasm.x.ebb_optim_step(this.#pointer)); }
  /** Changes attributes: set({ lr: 1e-4 }). */
  set(attrs: Attrs): void {
    const w = this.#e.wasm;
    this.#e.check(w.frame(() => w.x.ebb_optim_set(this.#pointer, w.text(attrsText(attrs)))));
  }
  dispose(): void {
    if (this.#open && !this.#e.closed) this.#e.wasm.x.ebb_optim_free(this.#pointer);
    this.#open = false;
  }
}
