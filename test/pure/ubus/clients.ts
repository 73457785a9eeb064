/** Clients on a bus in memory, for tests. */
import * as assert from 'uvu/assert';
import { createClient } from '../../../src/ubus/client.ts';
import type { ClientOptions } from '../../../src/ubus/client.ts';
import { UbusError } from '../../../src/ubus/status.ts';
import { createUbusd } from './bus.ts';
import { createWire } from './wire.ts';

/** A bus, and clients on it that all share one clock. */
export function lab(piece?: number) {
  const bus = createUbusd();
  const wire = createWire(bus, piece);
  const troubles: UbusError[] = [];
  const client = (options: ClientOptions = {}) => createClient(wire.door, { onTrouble: (error) => troubles.push(error), ...options });
  return { bus, wire, troubles, client };
}

/** Waits for a rejection with the one error there is. */
export async function rejection(promise: Promise<unknown>): Promise<UbusError> {
  const error: unknown = await promise.then(
    () => assert.unreachable('it was to be rejected'),
    (thrown) => thrown,
  );
  assert.instance(error, UbusError);
  return error as UbusError;
}

/** A promise and its ends. */
export const later = <T>() => {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
};
