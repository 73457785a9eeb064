/** Conversations between real programs and the real ubusd, frame by frame. */
import { readFileSync } from 'node:fs';

export interface RecordedFrame {
  /** 1, 2, ...; where there is a publisher it is 1. */
  connection: number;
  direction: 'client->ubusd' | 'ubusd->client';
  type: string;
  seq: number;
  peer: string;
  hex: string;
}

export interface Conversation {
  title: string;
  frames: RecordedFrame[];
}

export const conversations: Conversation[] = JSON.parse(readFileSync('test/fixtures/ubus/conversations.json', 'utf8')).conversations;

export const recorded: Uint8Array[] = conversations.flatMap(({ frames }) => frames.map(({ hex }) => bytesOf(hex)));

export function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** The conversation whose title begins so. */
export function conversation(title: string): Conversation {
  const found = conversations.find((one) => one.title.startsWith(title));
  if (!found) throw new Error(`no conversation begins with ${title}`);
  return found;
}
