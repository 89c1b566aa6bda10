import { Queue } from "./queue.js";

type Waiter = () => void;

/**
 * What a program waits for: items in order, and how they end. Loop over it with `for await`, or
 * take() one at a time. After the last item comes the error that ended it, if one did.
 */
export class Feed<T> implements AsyncIterable<T> {
  readonly #items = new Queue<T>();
  readonly #waiters = new Set<Waiter>();
  #ended = false;
  #error: Error | undefined;

  /** How many items are there to be taken. */
  get length(): number {
    return this.#items.length;
  }

  /** The next item. undefined: there is none yet when the timeout has passed, or it has ended. */
  async take(timeoutMs = Number.POSITIVE_INFINITY): Promise<T | undefined> {
    const until = performance.now() + timeoutMs;
    while (this.#items.length === 0 && !this.#ended) {
      const left = until - performance.now();
      if (left <= 0) {
        return undefined;
      }
      await this.#changed(left);
    }
    if (this.#items.length === 0 && this.#error !== undefined) {
      throw this.#error;
    }
    const item = this.#items.shift();
    this.taken();
    return item;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const item = await this.take();
      if (item === undefined) {
        return;
      }
      yield item;
    }
  }

  /** @internal */
  put(items: readonly T[]): void {
    if (!this.#ended) {
      for (const item of items) {
        this.#items.push(item);
      }
      this.#wake();
    }
  }

  /** @internal After what is there comes `error`; undefined: the end. */
  end(error?: Error): void {
    if (!this.#ended) {
      this.#ended = true;
      this.#error = error;
      this.#wake();
    }
  }

  /** An item was taken. */
  protected taken(): void {}

  #changed(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const waiter = () => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        resolve();
      };
      this.#waiters.add(waiter);
      if (Number.isFinite(timeoutMs)) {
        timer = setTimeout(waiter, timeoutMs);
      }
    });
  }

  #wake(): void {
    for (const waiter of this.#waiters) {
      waiter();
    }
  }
}
