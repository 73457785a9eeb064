/**
 * Stands in for OpenWrt's jsonfilter as far as paths of names, [N] and [*] go: `-i FILE -e PATH` prints each value on
 * a line of its own, strings plainly; `-t PATH` its type. The status is 1 where a path leads nowhere.
 */
import { readFileSync } from 'node:fs';

const args = process.argv.slice(2);
let input = 0 as string | number;
const asked: [flag: string, path: string][] = [];
for (let at = 0; at < args.length; at += 2) {
  if (args[at] === '-i') input = args[at + 1]!;
  else asked.push([args[at]!, args[at + 1]!]);
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' ? (Number.isInteger(value) ? 'int' : 'double') : typeof value;
}

let root: unknown;
try {
  root = JSON.parse(readFileSync(input, 'utf8'));
} catch {
  process.exit(126);
}
let found = false;
for (const [flag, path] of asked) {
  let values: unknown[] = [root];
  for (const [, name, index] of path.matchAll(/\.([A-Za-z_]\w*)|\[(\d+|\*)\]/g)) {
    values = values.flatMap((value) => {
      if (typeof value !== 'object' || value === null) return [];
      if (index === '*') return Object.values(value);
      const key = name ?? index!;
      return key in value ? [(value as Record<string, unknown>)[key]] : [];
    });
  }
  for (const value of values) {
    found = true;
    process.stdout.write(`${flag === '-t' ? typeOf(value) : typeof value === 'object' ? JSON.stringify(value) : String(value)}\n`);
  }
}
process.exitCode = found ? 0 : 1;
