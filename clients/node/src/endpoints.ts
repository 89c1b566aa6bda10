import type { PandoError } from "./errors.js";

// Between two rounds in which none was of use.
const PAUSE_MIN_MS = 20;
const PAUSE_MAX_MS = 500;

/** Where to look for a server next, and what was wrong where it was looked. */
export class Endpoints {
  readonly #all: readonly string[];
  readonly #failures = new Map<string, PandoError>();
  #index = 0;
  #tried = 0;
  #pauseMs = PAUSE_MIN_MS;

  constructor(all: readonly string[]) {
    this.#all = all;
  }

  get current(): string {
    return this.#all[this.#index] as string;
  }

  /** The next round begins at once. */
  wasGood(): void {
    this.#failures.clear();
    this.#tried = 0;
    this.#pauseMs = PAUSE_MIN_MS;
  }

  /** Goes on to the next one, and says after what pause. */
  leave(why: PandoError): number {
    this.#failures.set(this.current, why);
    this.#index = (this.#index + 1) % this.#all.length;
    this.#tried++;
    if (this.#tried % this.#all.length !== 0) {
      return 0;
    }
    const pause = this.#pauseMs;
    this.#pauseMs = Math.min(pause * 2, PAUSE_MAX_MS);
    return pause;
  }

  /** What was wrong with each that was tried. */
  get failures(): string {
    return this.#all
      .filter((where) => this.#failures.has(where) || where === this.current)
      .map((where) => `${where}: ${this.#failures.get(where)?.message ?? "has not answered yet"}`)
      .join("; ");
  }
}
