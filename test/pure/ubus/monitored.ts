/** What ubusd sends to a monitor (ubusd_monitor.c). */
import { BlobWriter, MAX_BLOB } from '../../../src/ubus/blob.ts';
import { MessageType } from '../../../src/ubus/message.ts';
import type { Message } from '../../../src/ubus/message.ts';

/**
 * @param seq    counts what this monitor was sent
 * @param client whom `message` came from or, if `sent`, went to
 * @param inside the inside of the message's blob
 */
export function encodeMonitored(seq: number, client: number, sent: boolean, message: Message, inside: Uint8Array): Uint8Array {
  const writer = new BlobWriter(MAX_BLOB * 2);
  writer.u8(0);
  writer.u8(MessageType.MONITOR);
  writer.u16(seq);
  writer.u32(0);
  const blob = writer.open(0);
  for (const [id, word] of [
    [0, client],
    [1, message.peer],
    [3, message.seq],
    [4, message.type],
  ] as const) {
    const at = writer.open(id);
    writer.u32(word);
    writer.close(at);
  }
  const direction = writer.open(2);
  writer.u8(sent ? 1 : 0);
  writer.close(direction);
  const data = writer.open(5);
  writer.raw(inside);
  writer.close(data);
  writer.close(blob);
  return writer.finish();
}
