/** What an engine hands in. connection.ts is Node's; a test's or another engine's is as good. */

/** One open (or opening) stream to ubusd. */
export interface Transport {
  /** Sends bytes, in order. Before the stream is open they wait. Never throws. */
  send(bytes: Uint8Array): void;
  /** Sends what is waiting and closes. Calls nothing back. */
  close(): void;
}

/** What a transport tells. Neither is called before `dial` has returned. */
export interface Listening {
  /** Bytes arrived; they are read before this returns. */
  data(bytes: Uint8Array): void;
  /** The stream could not be opened, or ended; called once. `reason` is the end of a sentence. */
  closed(reason: string): void;
}

export interface Door {
  /** Begins to open a stream to ubusd. */
  dial(listening: Listening): Transport;
  /** Runs `task` once, `milliseconds` from now, unless the function that comes back is called first. */
  after(milliseconds: number, task: () => void): () => void;
  /** Milliseconds from any fixed moment; never goes back. */
  now(): number;
}
