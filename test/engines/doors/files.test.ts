/** Reading and writing through the doors of both engines: Host's promises, and what is known to go wrong on either. */
import * as assert from 'uvu/assert';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../../src/host/host.ts';
import { ENGINES, openDoor } from './remote.ts';
import { complaint, throughDoor } from './suites.ts';

for (const engine of ENGINES) {
  const reading = throughDoor('reading', engine);

  reading('tells what is there from what is not and from what cannot be read', async ({ door, folder }) => {
    fs.writeFileSync(join(folder, 'a'), 'caf\u00e9\n');
    assert.equal(await door.read(join(folder, 'a')), { state: 'present', value: 'caf\u00e9\n', source: join(folder, 'a') });
    fs.writeFileSync(join(folder, 'empty'), '');
    assert.equal(await door.read(join(folder, 'empty')), { state: 'present', value: '', source: join(folder, 'empty') });
    for (const path of [join(folder, 'nothing'), join(folder, 'a', 'below')])
      assert.equal(await door.read(path), { state: 'absent', source: path });
    fs.symlinkSync('loop', join(folder, 'loop'));
    const long = join(folder, 'x'.repeat(300));
    for (const [path, because] of [
      [folder, 'it is a directory (EISDIR)'],
      [join(folder, 'loop'), 'too many symbolic links (ELOOP)'],
      [long, 'the name is too long (ENAMETOOLONG)'],
      ['/proc/self/mem', 'input/output error (EIO)'], // it opens, and its first bytes are no memory
    ] as const)
      assert.equal(await door.read(path), { state: 'failed', source: path, because });
  });

  reading('keeps bytes that are no text, and every byte there is', async ({ door, folder }) => {
    fs.writeFileSync(join(folder, 'bytes'), Buffer.from([0x61, 0xff, 0xc3, 0x28, 0x00]));
    const bytes = await door.read(join(folder, 'bytes'));
    assert.is(bytes.state === 'present' && bytes.value, 'a\udcff\udcc3(\0');
    // A character that lies across the pieces a file is read in, a byte order mark, one beyond 16 bits, a lone surrogate's bytes.
    const text = Buffer.concat([Buffer.from(`\ufeff${'x'.repeat(65_531)}\u00e9\u{1f4de}\ufffd`), Buffer.from([0xed, 0xa0, 0x80])]);
    fs.writeFileSync(join(folder, 'across'), text);
    const across = await door.read(join(folder, 'across'));
    assert.is(across.state === 'present' && across.value, `\ufeff${'x'.repeat(65_531)}\u00e9\u{1f4de}\ufffd\udced\udca0\udc80`);
  });

  reading('refuses a file that is too large, unless lines are picked out of it', async ({ door, folder }) => {
    const path = join(folder, 'large');
    fs.writeFileSync(path, 'x'.repeat(99) + '\n' + 'sip\n');
    assert.equal(await door.read(path, { most: 50 }), { state: 'failed', source: path, because: 'it holds more than 50 bytes' });
    assert.equal(await door.read(path, { most: 50, select: { holding: ['sip'] } }), { state: 'present', value: 'sip\n', source: path });
    fs.writeFileSync(path, 'x'.repeat((4 << 20) + 1));
    assert.equal(await door.read(path), { state: 'failed', source: path, because: 'it holds more than 4194304 bytes' });
  });

  reading('reads files whose size the kernel gives as 0 or as a page', async ({ door }) => {
    const status = await door.read('/proc/self/status');
    assert.match(status.state === 'present' ? status.value : '', /^Name:/);
    const mtu = await door.read('/sys/class/net/lo/mtu');
    assert.is(mtu.state === 'present' && mtu.value, fs.readFileSync('/sys/class/net/lo/mtu', 'utf8'));
  });

  reading('lists names in order, and says what a path is', async ({ door, folder }) => {
    const below = join(folder, 'names');
    fs.mkdirSync(join(below, 'b', 'c'), { recursive: true });
    for (const name of ['a', 'Z', '.hidden', '\u00e9']) fs.writeFileSync(join(below, name), '');
    fs.symlinkSync('a', join(below, 'link'));
    fs.symlinkSync('nothing', join(below, 'dangling'));
    assert.equal(await door.list(below), {
      state: 'present',
      value: ['.hidden', 'Z', 'a', 'b', 'dangling', 'link', '\u00e9'],
      source: below,
    });
    assert.equal(await door.list(join(below, 'b', 'c')), { state: 'present', value: [], source: join(below, 'b', 'c') });
    assert.is((await door.list(join(below, 'nothing'))).state, 'absent');
    assert.is((await door.list(join(below, 'a'))).state, 'absent');
    const kinds = await Promise.all(['a', 'b', 'link', 'nothing', 'dangling'].map((name) => door.kind(join(below, name))));
    assert.equal(
      kinds.map((kind) => (kind.state === 'present' ? kind.value : kind.state)),
      ['file', 'directory', 'file', 'absent', 'absent'],
    );
    const device = await door.kind('/dev/null');
    assert.is(device.state === 'present' && device.value, 'other');
  });

  reading('knows the addresses of devices that are up, the time and itself', async ({ door }) => {
    const loopback = (await door.addresses()).find(({ address }) => address === '127.0.0.1');
    assert.equal(loopback, { device: 'lo', family: 'ipv4', address: '127.0.0.1', prefix: 8 });
    assert.ok(Math.abs((await door.now()) - Date.now()) < 5000);
    assert.equal(await door.process(), { pid: door.pid, uid: process.geteuid?.() ?? -1 });
  });

  reading('refuses names that would be cut short or spoilt, wherever one is handed over', async ({ door, folder }) => {
    const kept = join(folder, 'kept');
    fs.writeFileSync(kept, 'untouched');
    for (const [path, because] of [
      [`${kept}\0more`, `${JSON.stringify(`${kept}\0more`.slice(0, 60))} holds a NUL`],
      [`${kept}\udcff`, `${JSON.stringify(`${kept}\udcff`.slice(0, 60))} is not UTF-8`],
    ] as const) {
      for (const reading of [door.read(path), door.list(path), door.kind(path)])
        assert.equal(await reading, { state: 'failed', source: path, because });
      assert.is(await complaint(door.write(path, 'x')), `${path} could not be written: ${because}`);
      assert.is(await complaint(door.poke(path, 'x')), `${path} could not be set to "x": ${because}`);
      assert.is(await complaint(door.remove(path)), `${path} could not be removed: ${because}`);
      assert.is(await complaint(door.lock(path, 100, 'me')), `the lock ${path} could not be taken: ${because}`);
      assert.equal(await door.run(['echo', path]), { state: 'failed', command: `echo ${path}`, because });
    }
    assert.is(fs.readFileSync(kept, 'utf8'), 'untouched');
    assert.equal(
      fs.readdirSync(folder).filter((name) => name.startsWith('kept')),
      ['kept'],
    );
  });

  reading.run();

  const writing = throughDoor('writing', engine);

  writing('makes a file with the mode asked for, and keeps the mode of one that is there', async ({ door, folder }) => {
    const path = join(folder, 'mode');
    await door.write(path, 'one', 0o600);
    assert.is(fs.statSync(path).mode & 0o7777, 0o600);
    fs.chmodSync(path, 0o640);
    await door.write(path, 'two', 0o755);
    assert.equal([fs.statSync(path).mode & 0o7777, fs.readFileSync(path, 'utf8')], [0o640, 'two']);
  });

  writing('makes no file narrower or wider than asked for, whatever the umask is', async ({ folder }) => {
    for (const mask of ['077', '000']) {
      const door = await openDoor(engine, { before: `umask ${mask}` });
      const path = join(folder, `plain${mask}`);
      await door.write(path, 'x');
      await door.close();
      assert.is(fs.statSync(path).mode & 0o7777, 0o644);
    }
  });

  writing('shows nobody else a file before it has the mode it is to have', async ({ door, folder }) => {
    const below = fs.mkdtempSync(join(folder, 'secret-'));
    const path = join(below, 'secret');
    fs.writeFileSync(path, 'old', { mode: 0o600 });
    const modes = new Set<string>();
    const watcher = fs.watch(below, (_, name) => {
      if (name?.endsWith('.sipalg-new'))
        modes.add((fs.statSync(join(below, name), { throwIfNoEntry: false })?.mode ?? 0o100600).toString(8));
    });
    for (let round = 0; round < 20; round++) await door.write(path, 'new'.repeat(200_000));
    watcher.close();
    assert.equal([...modes], ['100600']);
  });

  writing('narrows what it is told to, and nothing else', async ({ door, folder }) => {
    const path = join(folder, 'wide');
    fs.writeFileSync(path, 'x');
    for (const [before, after] of [
      [0o644, 0o600],
      [0o400, 0o400],
    ] as const) {
      fs.chmodSync(path, before);
      await door.narrow(path, 0o600);
      assert.is(fs.statSync(path).mode & 0o7777, after);
    }
    await door.narrow(join(folder, 'not there'), 0o600);
  });

  writing('keeps the owner of a file that is there', async ({ door, folder }) => {
    if (process.geteuid?.() !== 0) return; // only root may give a file away, and only then is there something to keep
    const path = join(folder, 'owned');
    fs.writeFileSync(path, 'one');
    fs.chownSync(path, 1234, 2345);
    fs.chmodSync(path, 0o4750);
    await door.write(path, 'two');
    assert.equal([fs.statSync(path).uid, fs.statSync(path).gid, fs.statSync(path).mode & 0o7777], [1234, 2345, 0o4750]);
  });

  writing('follows a link and leaves it a link', async ({ door, folder }) => {
    fs.writeFileSync(join(folder, 'target'), 'one');
    fs.symlinkSync('target', join(folder, 'through'));
    await door.write(join(folder, 'through'), 'two');
    assert.is(fs.readlinkSync(join(folder, 'through')), 'target');
    assert.is(fs.readFileSync(join(folder, 'target'), 'utf8'), 'two');
  });

  writing('puts a new file in the place of the old one, so that whoever reads sees one of the two whole', async ({ door, folder }) => {
    const path = join(folder, 'atomic');
    fs.writeFileSync(path, 'old'.repeat(100_000));
    const open = fs.openSync(path, 'r');
    const before = fs.fstatSync(open).ino;
    await door.write(path, 'new'.repeat(100_000));
    assert.is(fs.readFileSync(open, 'utf8'), 'old'.repeat(100_000));
    assert.is(fs.readFileSync(path, 'utf8'), 'new'.repeat(100_000));
    assert.is.not(fs.statSync(path).ino, before);
    fs.closeSync(open);
  });

  writing('gives back every byte it has read', async ({ door, folder }) => {
    const path = join(folder, 'every');
    const bytes = Buffer.from(Array.from({ length: 1024 }, (_, at) => (at * 7) & 0xff));
    fs.writeFileSync(path, bytes);
    const read = await door.read(path);
    assert.is(read.state, 'present');
    if (read.state === 'present') await door.write(path, read.value);
    assert.ok(fs.readFileSync(path).equals(bytes));
  });

  writing('says what is wrong, and leaves neither a changed file nor one half written', async ({ door, folder }) => {
    const inside = join(folder, 'directory');
    fs.mkdirSync(join(inside, 'is', 'one'), { recursive: true });
    assert.is(await complaint(door.write(join(inside, 'is'), 'x')), `${inside}/is could not be written: it is a directory (EISDIR)`);
    assert.equal(fs.readdirSync(inside), ['is']);
    assert.is(
      await complaint(door.write(join(inside, 'none', 'file'), 'x')),
      `${inside}/none/file could not be written: no such file or directory (ENOENT)`,
    );
    fs.mkdirSync(join(inside, 'file.sipalg-new'));
    await door.write(join(inside, 'file'), 'x');
    assert.equal(fs.readdirSync(inside), ['file', 'file.sipalg-new', 'is'], 'what is no file is nobody of ours');
  });

  writing('goes through no link that lies where its temporary file would be', async ({ door, folder }) => {
    const path = join(folder, 'linked');
    fs.writeFileSync(join(folder, 'victim'), 'untouched');
    fs.symlinkSync('victim', `${path}.sipalg-new`);
    await door.write(path, 'new');
    assert.equal([fs.readFileSync(path, 'utf8'), fs.lstatSync(path).isSymbolicLink()], ['new', false]);
    assert.is(fs.readFileSync(join(folder, 'victim'), 'utf8'), 'untouched');
  });

  writing('writes over what an interrupted run was writing', async ({ door, folder }) => {
    const path = join(folder, 'again');
    fs.writeFileSync(path + '.sipalg-new', 'half of something much longer');
    await door.write(path, 'whole');
    assert.is(fs.readFileSync(path, 'utf8'), 'whole');
    assert.not.ok(fs.existsSync(path + '.sipalg-new'));
  });

  writing('takes away what writers that are gone have left, and nothing of one that is there', async ({ door, folder }) => {
    const path = join(folder, 'left');
    for (const name of ['999999999.1', `${process.pid}.1`, 'x.1']) fs.writeFileSync(`${path}.${name}.sipalg-new`, 'half');
    fs.writeFileSync(`${path}er.999999999.1.sipalg-new`, 'of another file');
    await door.write(path, 'whole');
    assert.equal(
      fs.readdirSync(folder).filter((name) => name.startsWith('left')),
      ['left', `left.${process.pid}.1.sipalg-new`, 'left.x.1.sipalg-new', 'lefter.999999999.1.sipalg-new'],
    );
  });

  writing('lets two processes write the same file at once: it is always one of them, whole', async ({ door, folder }) => {
    const path = join(folder, 'both');
    const other = await openDoor(engine);
    const texts = ['a', 'b'].map((letter) => letter.repeat(300_000));
    await door.write(path, texts[0] as string);
    const write = async (by: Pick<Host, 'write'>, text: string): Promise<void> => {
      for (let round = 0; round < 15; round++) await by.write(path, text);
    };
    let writing = true;
    const seen = new Set<string>();
    const watch = async (): Promise<void> => {
      while (writing) {
        const text = fs.readFileSync(path, 'utf8');
        seen.add(`${text.length} of ${[...new Set(text)].join('')}`);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    const watching = watch();
    await Promise.all([write(door, texts[0] as string), write(other, texts[1] as string)]).finally(() => (writing = false));
    await watching;
    await other.close();
    for (const one of seen) assert.match(one, /^300000 of [ab]$/);
    assert.equal(
      fs.readdirSync(folder).filter((name) => name.startsWith('both')),
      ['both'],
    );
  });

  writing('tells a full disk from one that takes what it is given', async ({ door }) => {
    // /dev/full takes no byte; what is told of it is what a full disk is told of.
    assert.is(await complaint(door.poke('/dev/full', '1\n')), '/dev/full could not be set to "1": no space is left on the device (ENOSPC)');
    await door.poke('/dev/null', '1\n');
  });

  writing('pokes only what is there', async ({ door, folder }) => {
    const path = join(folder, 'poked');
    assert.is(await complaint(door.poke(path, '0\n')), `${path} could not be set to "0": no such file or directory (ENOENT)`);
    assert.not.ok(fs.existsSync(path));
  });

  writing('removes a file once and twice, and never a directory', async ({ door, folder }) => {
    const path = join(folder, 'gone');
    fs.writeFileSync(path, '');
    await door.remove(path);
    assert.not.ok(fs.existsSync(path));
    await door.remove(path);
    await door.remove(join(folder, 'no', 'such'));
    fs.symlinkSync('nothing', path);
    await door.remove(path);
    assert.not.ok(fs.readdirSync(folder).includes('gone'), 'a link that leads nowhere');
    const empty = join(folder, 'empty');
    fs.mkdirSync(empty);
    assert.is(await complaint(door.remove(empty)), `${empty} could not be removed: it is a directory (EISDIR)`);
    assert.ok(fs.existsSync(empty));
  });

  writing.run();
}
