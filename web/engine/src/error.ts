// error.ts - what is thrown: the engine's words.

/** An error of the engine: `message` says what differs and what to do, `status` is its kind ("shape", "name", "memory" ...). */
export class EbbError extends Error {
  readonly status: string;
  constructor(message: string, status = 'argument') {
    super(message);
    this.name = 'EbbError';
    this.status = status;
  }
}
