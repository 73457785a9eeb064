// Runs scenarios of the virtual machine and shows their log as it grows: every command, how it ended, what it said.
//   node test/machine/qemu/show.mjs [--kernel 6.1|6.12] WORD...      files of test/machine whose path holds a word
import { spawn } from 'node:child_process';
import { createReadStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

const args = process.argv.slice(2);
const env = { ...process.env };
if (args[0] === '--kernel') env.SIPALG_VM_KERNEL = args.splice(0, 2)[1];
if (args.length === 0) {
  console.error(
    'usage: node test/machine/qemu/show.mjs [--kernel 6.1|6.12] WORD...\nWORD is part of a path: owners, modules, packages, ...',
  );
  process.exit(2);
}
const folder = mkdtempSync(`${tmpdir()}/sipalg-show-`);
const log = `${folder}/log`;
writeFileSync(log, '');
const child = spawn(process.execPath, [fileURLToPath(new URL('../../run.mjs', import.meta.url)), '--layer', 'machine', ...args], {
  stdio: 'inherit',
  env: { ...env, SIPALG_VM_LOG: log },
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));

let shown = 0;
function show() {
  const { size } = statSync(log);
  if (size === shown) return Promise.resolve();
  const part = createReadStream(log, { start: shown, end: size - 1 });
  shown = size;
  return new Promise((resolve) => {
    part.pipe(process.stdout, { end: false });
    part.once('end', resolve);
  });
}
const timer = setInterval(() => {
  void show();
}, 200);
const status = await new Promise((resolve) => child.once('close', resolve));
clearInterval(timer);
await show();
rmSync(folder, { recursive: true, force: true });
process.exitCode = status ?? 2;
