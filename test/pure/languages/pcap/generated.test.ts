import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCapture, type CaptureOptions } from '../../../../bench/captures.ts';
import { readAll, type Read } from './reading.ts';

const generated = suite<{ folder: string }>('a generated capture');

generated.before((context) => { context.folder = mkdtempSync(join(tmpdir(), 'sipalg-generated-')); });
generated.after(({ folder }) => { rmSync(folder, { recursive: true, force: true }); });

function make(folder: string, options: CaptureOptions): { about: ReturnType<typeof writeCapture>; bytes: Uint8Array; read: Read } {
  const file = join(folder, 'generated');
  const about = writeCapture(file, options);
  const bytes = readFileSync(file);
  assert.is(about.bytes, bytes.length);
  const read = readAll(bytes, { sizes: [65_536] });
  assert.equal(read.problems, []);
  assert.is(read.counts.packets, about.packets);
  return { about, bytes, read };
}

generated('is the same each time, of the calls or the size asked for, in the order of time', ({ folder }) => {
  const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  const first = make(folder, { calls: 200 });
  assert.equal(first.about, { calls: 200, packets: 200 * 14, bytes: first.bytes.length });
  assert.is(hash(make(folder, { calls: 200 }).bytes), hash(first.bytes));
  const sized = make(folder, { size: 300_000 });
  assert.ok(sized.about.bytes >= 300_000 && sized.about.packets === sized.about.calls * 14);
  const times = first.read.datagrams.map(({ packet }) => packet.seconds + packet.nanoseconds / 1e9);
  assert.equal(times.filter((time, index) => index > 0 && time < times[index - 1]! - 1e-4), []);
});

generated('has each message on both sides, with the ALG\'s changes in those calls that are to have them', ({ folder }) => {
  const { read } = make(folder, { calls: 100, rewrite: 40 });
  const inside = read.datagrams.filter(({ who }) => who.includes('192.168.1.'));
  const outside = read.datagrams.filter(({ who }) => who.includes('203.0.113.20'));
  assert.equal([inside.length, outside.length], [700, 700]);
  const callOf = (text: string): string => /Call-ID: (\S+)/.exec(text)?.[1] ?? '';
  const changed = new Set<string>();
  for (const [index, { text, packet }] of inside.entries()) {
    const other = outside[index]!;
    assert.is(other.packet.id, packet.id);
    assert.is(callOf(other.text), callOf(text));
    if (other.text === text) continue;
    changed.add(callOf(text));
    assert.is(other.text.includes('192.168.1.'), false);
    for (const each of [text, other.text]) {
      const [head = '', body = ''] = each.split('\r\n\r\n');
      assert.is(Number(/Content-Length: (\d+)/.exec(head)?.[1]), body.length);
    }
  }
  assert.is(changed.size, 40);
});

generated('of each side alone is the half, and of both in pcapng tells them apart', ({ folder }) => {
  const both = make(folder, { calls: 50, format: 'pcapng' }).read;
  const texts = (read: Read): string[] => read.datagrams.map(({ text }) => text);
  const side = (index: number): string[] => both.datagrams.filter(({ packet }) => packet.interface === index).map(({ text }) => text);
  assert.equal(both.interfaces.map(({ name }) => name), ['br-lan', 'wan']);
  assert.equal(texts(make(folder, { calls: 50, side: 'lan' }).read), side(0));
  assert.equal(texts(make(folder, { calls: 50, side: 'wan', format: 'pcapng' }).read), side(1));
});

generated('may hold audio as well', ({ folder }) => {
  const { read } = make(folder, { calls: 5, fill: 2000 });
  assert.is(read.datagrams.filter(({ text }) => text.charCodeAt(0) === 0x80).length, 5 * 2 * 12);
});

generated.run();
