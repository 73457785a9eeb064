/** The monitor: ubusd shows every message it takes and sends (to root only). */
import { readAttributes } from './blob.ts';
import { invokeSystem } from './events.ts';
import type { Link } from './link.ts';
import { decodeAttributes, MessageType, SystemObject } from './message.ts';
import type { Attributes } from './message.ts';
import { sentence, Status, UbusError } from './status.ts';

/** A message that went through ubusd. */
export interface Monitored {
  /** The client it came from or went to. */
  client: number;
  /** True: ubusd sent it to the client. False: the client sent it. */
  sent: boolean;
  /** Its type: a name of MessageType, or a number that has none. */
  type: string;
  seq: number;
  peer: number;
  /** `data` and `signature` are the bytes of tables: see decodeTable. */
  attributes: Attributes;
}

const names = Object.keys(MessageType);

/**
 * Reads a MONITOR message (`enum ubus_monitor_attr`).
 * @param bytes the inside of its blob
 * @throws UbusError PARSE_ERROR
 */
export function decodeMonitored(bytes: Uint8Array): Monitored {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words: number[] = [];
  let attributes: Attributes | undefined;
  for (const { id, from, to } of readAttributes(bytes, 0, bytes.length)) {
    if (id === 5) attributes = decodeAttributes(bytes.subarray(from, to));
    else if (to - from === 4) words[id] = view.getUint32(from);
    else if (to - from === 1) words[id] = view.getUint8(from);
  }
  const [client, peer, sent, seq, type] = words;
  if (
    client === undefined
    || peer === undefined
    || sent === undefined
    || seq === undefined
    || type === undefined
    || attributes === undefined
  ) {
    throw new UbusError(Status.PARSE_ERROR, 'a monitor message lacks one of client, peer, direction, seq, type and data');
  }
  return { client, peer, sent: sent !== 0, seq, type: names[type] ?? String(type), attributes };
}

export interface MonitorObject {
  /** Adds a listener; the first one turns the monitor on at ubusd, if there is a connection. */
  add(seen: (message: Monitored) => void, deadline: number): Promise<void>;
  /** Removes a listener; the last one turns the monitor off. */
  remove(seen: (message: Monitored) => void, deadline: number): Promise<void>;
  /** Turns it on again on a new connection, if anybody listens. */
  restore(deadline: number): Promise<void>;
  take(bytes: Uint8Array): void;
}

export function createMonitor(link: Link, trouble: (error: UbusError) => void): MonitorObject {
  const listeners = new Set<(message: Monitored) => void>();
  const tell = (method: string, deadline: number) => invokeSystem(link, SystemObject.MONITOR, method, {}, `monitor ${method}`, deadline);

  return {
    async add(seen, deadline) {
      await link.ready('monitor', deadline);
      listeners.add(seen);
      try {
        await tell('add', deadline);
      } catch (error) {
        listeners.delete(seen);
        throw error;
      }
    },
    async remove(seen, deadline) {
      if (listeners.delete(seen) && listeners.size === 0 && link.id() !== 0) await tell('remove', deadline);
    },
    async restore(deadline) {
      if (listeners.size > 0) await tell('add', deadline);
    },
    take(bytes) {
      const message = decodeMonitored(bytes);
      for (const seen of [...listeners]) {
        try {
          seen(message);
        } catch (error) {
          trouble(new UbusError(Status.UNKNOWN_ERROR, `a listener of the monitor failed: ${sentence(error)}`));
        }
      }
    },
  };
}
