/**
 * What ubusd does, without its socket: it answers as the recorded conversations
 * show the real one does (conversations.test.ts holds it to them, byte for byte).
 */
import { createFrames } from '../../../src/ubus/frames.ts';
import { decodeHeader, decodeMessage, encodeMessage, HEADER, MessageType } from '../../../src/ubus/message.ts';
import type { Attributes, Message } from '../../../src/ubus/message.ts';
import { Status } from '../../../src/ubus/status.ts';
import { decodeTable, encodeTable, typed } from '../../../src/ubus/value.ts';
import { encodeMonitored } from './monitored.ts';

export interface UbusdOptions {
  /** Where ids come from, for clients, objects and object types alike. Default: counting up from 0x10000. */
  ids?: () => number;
  /** The user and group every client has. Default root; only root may monitor. */
  user?: string;
  group?: string;
}

/** A client as the bus sees it. */
export interface Attached {
  data(bytes: Uint8Array): void;
  close(): void;
}

export interface Bus {
  /** A client connects: `send` gets what is for it, `hangUp` is called when it is thrown out. */
  attach(send: (frame: Uint8Array) => void, hangUp: () => void): Attached;
  /** How many clients, objects, subscriptions and patterns there are. */
  counts(): { clients: number; objects: number; subscriptions: number; patterns: number };
}

interface Peer {
  id: number;
  objects: Obj[];
  monitor: number | undefined;
  send(frame: Uint8Array): void;
}

interface Obj {
  id: number;
  owner: Peer;
  path: string | undefined;
  type: number;
  signature: Uint8Array | undefined;
  subscribers: Obj[];
  targets: Obj[];
  patterns: string[];
  seq: number;
}

export function createUbusd(options: UbusdOptions = {}): Bus {
  const { user = 'root', group = 'root' } = options;
  let last = 0xffff;
  const nextId = options.ids ?? (() => (last += 1));
  const peers = new Map<number, Peer>();
  const objects = new Map<number, Obj>();
  let eventSeq = 0;

  function post(peer: Peer, message: Message): void {
    const frame = encodeMessage(message);
    watch(peer, message, frame, true);
    peer.send(frame);
  }

  /** Shows a message to every monitor. */
  function watch(peer: Peer, message: Message, frame: Uint8Array, sent: boolean): void {
    for (const one of peers.values()) {
      if (one.monitor === undefined) continue;
      one.monitor = (one.monitor + 1) & 0xffff;
      one.send(encodeMonitored(one.monitor, peer.id, sent, message, frame.subarray(HEADER)));
    }
  }

  /** An event goes once to each object with a matching pattern, but not back to its sender. */
  function event(from: Peer | undefined, name: string, data: Uint8Array): void {
    for (const obj of objects.values()) {
      if (obj.owner === from || !obj.patterns.some((pattern) => matches(pattern, name))) continue;
      eventSeq = (eventSeq + 1) & 0xffff;
      post(obj.owner, {
        type: MessageType.INVOKE,
        seq: eventSeq,
        peer: 0,
        attributes: { object: obj.id, method: name, data },
      });
    }
  }

  function objectEvent(obj: Obj, name: string): void {
    if (obj.path !== undefined) event(undefined, name, encodeTable({ id: typed('int32', obj.id | 0), path: obj.path }));
  }

  function tellActive(obj: Obj): void {
    const attributes = { object: obj.id, active: obj.subscribers.length > 0 };
    post(obj.owner, { type: MessageType.NOTIFY, seq: (obj.seq += 1), peer: 0, attributes });
  }

  function unsubscribe(subscriber: Obj, target: Obj): void {
    subscriber.targets.splice(subscriber.targets.indexOf(target), 1);
    target.subscribers.splice(target.subscribers.indexOf(subscriber), 1);
    if (target.subscribers.length === 0) tellActive(target);
  }

  function free(obj: Obj): void {
    for (const target of [...obj.targets]) unsubscribe(obj, target);
    for (const subscriber of [...obj.subscribers]) {
      const attributes = { object: subscriber.id, target: obj.id };
      post(subscriber.owner, { type: MessageType.UNSUBSCRIBE, seq: (subscriber.seq += 1), peer: 0, attributes });
      unsubscribe(subscriber, obj);
    }
    obj.patterns = [];
    objectEvent(obj, 'ubus.object.remove');
    objects.delete(obj.id);
    obj.owner.objects.splice(obj.owner.objects.indexOf(obj), 1);
  }

  function forward(to: Obj, from: Peer, { seq }: Message, { method, data }: Attributes, noReply: boolean): void {
    const attributes: Attributes = { ...(noReply ? { noReply } : {}), object: to.id, method: method!, user, group };
    if (data) attributes.data = data;
    post(to.owner, { type: MessageType.INVOKE, seq, peer: from.id, attributes });
  }

  /** Handles a request: the status to answer with, or undefined for none. */
  function handle(peer: Peer, message: Message): number | undefined {
    const { type, seq, attributes } = message;
    const { object, method, path, target, data, status } = attributes;
    const found = objects.get(object ?? 0);
    const reply = (answer: Attributes) => post(peer, { type: MessageType.DATA, seq, peer: message.peer, attributes: answer });
    switch (type) {
      case MessageType.PING:
        reply(attributes);
        return Status.OK;
      case MessageType.LOOKUP:
        return lookup(path, reply);
      case MessageType.ADD_OBJECT: {
        if (path !== undefined && named(path)) return Status.INVALID_ARGUMENT;
        const { signature } = attributes;
        const obj: Obj = {
          id: nextId(),
          owner: peer,
          path,
          type: signature ? nextId() : 0,
          signature,
          subscribers: [],
          targets: [],
          patterns: [],
          seq: 0,
        };
        // The signature outlives the frame it came in.
        if (signature) obj.signature = signature.slice();
        objects.set(obj.id, obj);
        peer.objects.unshift(obj);
        objectEvent(obj, 'ubus.object.add');
        reply(signature ? { object: obj.id, type: obj.type } : { object: obj.id });
        return Status.OK;
      }
      case MessageType.REMOVE_OBJECT:
        if (object === undefined) return Status.INVALID_ARGUMENT;
        if (!found) return Status.NOT_FOUND;
        if (found.owner !== peer) return Status.PERMISSION_DENIED;
        reply(found.signature ? { object, type: found.type } : { object });
        free(found);
        return Status.OK;
      case MessageType.INVOKE:
        if (method === undefined || object === undefined) return Status.INVALID_ARGUMENT;
        if (object === 1) return eventObject(peer, method, data);
        if (object === 3) return monitorObject(peer, method);
        if (!found) return Status.NOT_FOUND;
        forward(found, peer, message, attributes, false);
        return undefined;
      case MessageType.NOTIFY:
        if (method === undefined || object === undefined) return Status.INVALID_ARGUMENT;
        if (!found) return Status.NOT_FOUND;
        if (found.owner !== peer) return Status.PERMISSION_DENIED;
        if (!attributes.noReply) {
          const subscribers = found.subscribers.map(({ id }) => id);
          post(peer, { type: MessageType.STATUS, seq, peer: message.peer, attributes: { object, subscribers, status: 0 } });
        }
        for (const subscriber of found.subscribers) {
          forward(subscriber, peer, message, attributes, attributes.noReply === true);
        }
        return undefined;
      case MessageType.STATUS:
      case MessageType.DATA: {
        const to = peers.get(message.peer);
        const complete = type === MessageType.STATUS ? status !== undefined : data !== undefined;
        if (found?.owner === peer && to && complete) post(to, { type, seq, peer: found.id, attributes });
        return undefined;
      }
      case MessageType.SUBSCRIBE: {
        const wanted = objects.get(target ?? 0);
        if (object === undefined || target === undefined) return Status.INVALID_ARGUMENT;
        if (!found || !wanted) return Status.NOT_FOUND;
        if (found.owner !== peer || wanted.owner === peer) return Status.INVALID_ARGUMENT;
        found.targets.unshift(wanted);
        wanted.subscribers.unshift(found);
        if (wanted.subscribers.length === 1) tellActive(wanted);
        return Status.OK;
      }
      case MessageType.UNSUBSCRIBE: {
        const wanted = objects.get(target ?? 0);
        if (object === undefined || target === undefined) return Status.INVALID_ARGUMENT;
        if (!found || !wanted || !found.targets.includes(wanted)) return Status.NOT_FOUND;
        unsubscribe(found, wanted);
        return Status.OK;
      }
      default:
        return Status.INVALID_COMMAND;
    }
  }

  function named(path: string): Obj | undefined {
    return [...objects.values()].find((obj) => obj.path === path);
  }

  function lookup(pattern: string | undefined, reply: (answer: Attributes) => void): number {
    if (pattern === '') return Status.INVALID_ARGUMENT;
    const those = [...objects.values()]
      .filter((obj) => obj.path !== undefined && (pattern === undefined || matches(pattern, obj.path)))
      .sort((a, b) => (a.path! < b.path! ? -1 : 1));
    if (those.length === 0 && pattern !== undefined) return Status.NOT_FOUND;
    for (const { path, id, type, signature } of those) {
      if (signature) reply({ path: path!, object: id, type, signature });
    }
    return Status.OK;
  }

  function eventObject(peer: Peer, method: string, data: Uint8Array | undefined): number {
    if (data === undefined) return Status.INVALID_ARGUMENT;
    const given = decodeTable(data);
    if (method === 'register') {
      const obj = objects.get(Number(given['object']) >>> 0);
      if (typeof given['pattern'] !== 'string' || given['object'] === undefined) return Status.INVALID_ARGUMENT;
      if (!obj) return Status.NOT_FOUND;
      if (obj.owner !== peer || given['pattern'] === '') return Status.PERMISSION_DENIED;
      obj.patterns.push(given['pattern']);
      return Status.OK;
    }
    if (method !== 'send') return Status.INVALID_COMMAND;
    const { id, data: table } = given;
    if (typeof id !== 'string' || typeof table !== 'object' || table === null) return Status.INVALID_ARGUMENT;
    if (id.startsWith('ubus.')) return Status.PERMISSION_DENIED;
    event(peer, id, encodeTable(table as Record<string, unknown>));
    return Status.OK;
  }

  function monitorObject(peer: Peer, method: string): number {
    if (user !== 'root') return Status.PERMISSION_DENIED;
    if (method !== 'add' && method !== 'remove') return Status.METHOD_NOT_FOUND;
    peer.monitor = method === 'add' ? 0 : undefined;
    return Status.OK;
  }

  return {
    attach(send, hangUp) {
      const peer: Peer = { id: nextId(), objects: [], monitor: undefined, send };
      const frames = createFrames();
      peers.set(peer.id, peer);
      const close = () => {
        if (!peers.delete(peer.id)) return;
        for (const obj of [...peer.objects]) free(obj);
      };
      post(peer, { type: MessageType.HELLO, seq: 0, peer: peer.id, attributes: {} });
      return {
        close,
        data(bytes) {
          try {
            frames.push(bytes, (frame) => {
              if (!peers.has(peer.id)) return;
              const message = read(frame);
              watch(peer, message, frame, false);
              let status: number | undefined = Status.INVALID_ARGUMENT;
              try {
                status = handle(peer, message);
              } catch {
                // Data that is no table: the status stands.
              }
              if (status !== undefined) {
                post(peer, { type: MessageType.STATUS, seq: message.seq, peer: message.peer, attributes: { status } });
              }
            });
          } catch {
            // A size that cannot be right: the real one hangs up too.
            close();
            hangUp();
          }
        },
      };
    },
    counts: () => ({
      clients: peers.size,
      objects: objects.size,
      subscriptions: [...objects.values()].reduce((sum, obj) => sum + obj.subscribers.length, 0),
      patterns: [...objects.values()].reduce((sum, obj) => sum + obj.patterns.length, 0),
    }),
  };
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** Attributes that cannot be read are missing ones. */
function read(frame: Uint8Array): Message {
  try {
    return decodeMessage(frame);
  } catch {
    return { ...decodeHeader(frame), attributes: {} };
  }
}
