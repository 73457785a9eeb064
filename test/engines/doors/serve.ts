/**
 * A Host served to somebody else: requests and replies are lines of JSON. Request: id, operation, arguments. Reply: id and
 * `value`, or `error` with the message of what was thrown. A lock is a number, which `release` takes.
 */
import type { Host, Lock } from '../../../src/host/host.ts';

export interface Request {
  id: number;
  operation: keyof Host | 'release';
  given: unknown[];
}

export type Reply = { id: number; value: unknown } | { id: number; error: string };

/** @returns takes one line, resolves to the line to answer with */
export function server(host: Host): (line: string) => Promise<string> {
  const locks = new Map<number, Lock>();
  const perform = async ({ id, operation, given }: Request): Promise<unknown> => {
    if (operation === 'release') return locks.get(given[0] as number)?.release();
    const value: unknown = await (host[operation] as (...given: unknown[]) => unknown)(...given);
    if (operation !== 'lock' || !('lock' in (value as object))) return value;
    locks.set(id, (value as { lock: Lock }).lock);
    return { lock: id };
  };
  return async (line) => {
    const request = JSON.parse(line) as Request;
    const reply: Reply = await perform(request).then(
      (value) => ({ id: request.id, value: value ?? null }),
      (error: unknown) => ({ id: request.id, error: error instanceof Error ? error.message : `no Error was thrown: ${String(error)}` }),
    );
    return `${JSON.stringify(reply)}\n`;
  };
}
