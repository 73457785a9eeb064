/** Time, as an engine hands it in; in tests a hand moves it. */
export interface Clock {
  /** Milliseconds from any fixed moment; never goes back. */
  now(): number;
  /** Runs `task` once, `milliseconds` from now, unless the function that comes back is called first. */
  after(milliseconds: number, task: () => void): () => void;
}

/** What a promise resolves with, or `late` when it has not settled in time. Rejects as the promise does. */
export function within<T>(clock: Clock, milliseconds: number, promise: Promise<T>): Promise<T | 'late'> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(milliseconds, () => resolve('late'));
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
  });
}
