/** A reader of GNU tar archives and of packages made of them, apart from what writes them. */
import { gunzipSync } from 'node:zlib';

export interface Member {
  path: string;
  type: 'file' | 'directory';
  mode: number;
  /** Numbers of owner and group, and their names, which are to be empty. */
  owner: string;
  /** Seconds since the epoch. */
  time: number;
  bytes: Buffer;
}

const text = (block: Buffer, at: number, length: number): string =>
  block
    .subarray(at, at + length)
    .toString('latin1')
    .replace(/\0[^]*$/, '');

/** The members in their order. Throws where a header's sum is wrong, or something follows the end. */
export function untar(archive: Buffer): Member[] {
  const members: Member[] = [];
  let at = 0;
  for (; at + 512 <= archive.length && archive[at] !== 0; at += 512) {
    const head = archive.subarray(at, at + 512);
    const number = (from: number, length: number): number => parseInt(text(head, from, length), 8);
    const sum = head.reduce((total, byte, place) => total + (place >= 148 && place < 156 ? 32 : byte), 0);
    if (number(148, 8) !== sum) throw new Error(`the header at ${at} has the sum ${number(148, 8)}, not ${sum}`);
    if (text(head, 257, 8) !== 'ustar  ') throw new Error(`the header at ${at} is not GNU's`);
    const size = number(124, 12);
    const [owner, kind] = [[number(108, 8), number(116, 8), text(head, 265, 32), text(head, 297, 32)].join(':'), text(head, 156, 1)];
    members.push({
      path: text(head, 0, 100),
      type: kind === '5' ? 'directory' : 'file',
      mode: number(100, 8),
      owner,
      time: number(136, 12),
      bytes: archive.subarray(at + 512, at + 512 + size),
    });
    at += Math.ceil(size / 512) * 512;
  }
  if (archive.length % 10_240 !== 0) throw new Error(`the archive is ${archive.length} bytes, no whole number of records`);
  if (archive.subarray(at).some((byte) => byte !== 0)) throw new Error('something follows the end');
  return members;
}

/** What an .ipk holds. */
export interface Ipk {
  outer: Member[];
  /** Bytes of the unpacked data archive. */
  installed: number;
  data: Member[];
  control: Member[];
}

export function unpackIpk(bytes: Buffer): Ipk {
  const outer = untar(gunzipSync(bytes));
  const inner = (name: string): Buffer => gunzipSync(outer.find(({ path }) => path === name)?.bytes ?? Buffer.alloc(0));
  const data = inner('./data.tar.gz');
  return { outer, installed: data.length, data: untar(data), control: untar(inner('./control.tar.gz')) };
}

/** `Name: value` lines; lines that go on begin with a blank. */
export function fieldsOf(control: string): Record<string, string> {
  return Object.fromEntries([...control.matchAll(/^(\S+): (.*(?:\n .*)*)$/gm)].map(([, name = '', value = '']) => [name, value]));
}
