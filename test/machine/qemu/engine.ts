/** qemu: with the processor's help (KVM) where that really works, else in software. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import type { Disk } from './disk.ts';
import { CACHE } from './kernels.ts';

export type Acceleration = 'kvm' | 'tcg';

const QEMU = 'qemu-system-x86_64';
// Without CMPXCHG16B: qemu 7.2 in software leaves rubbish in the flags register after it, and the kernel, which uses
// it wherever memory is allocated, then dies in one boot of ten (seen: 6 of 65 with it, none of 80 without).
// And without AVX: wide registers take an emulator a tenth longer in all.
const PROCESSOR: Readonly<Record<Acceleration, string>> = { kvm: 'host', tcg: 'Nehalem,-cx16' };

/**
 * Which acceleration works. /dev/kvm may be there and refuse, or hang: so a kernel is booted under it once and
 * has to say something within five seconds. The answer is kept for this kernel of the host.
 */
export function acceleration(kernelImage: string): Acceleration {
  if (!existsSync('/dev/kvm')) return 'tcg';
  const path = `${CACHE}/acceleration-${release()}.txt`;
  if (existsSync(path)) return readFileSync(path, 'utf8').trim() === 'kvm' ? 'kvm' : 'tcg';
  const { stdout } = spawnSync(
    QEMU,
    [...bare('kvm'), '-m', '128', '-kernel', kernelImage, '-serial', 'stdio', '-append', 'console=ttyS0 panic=-1'],
    { encoding: 'utf8', timeout: 5000, killSignal: 'SIGKILL' },
  );
  const found: Acceleration = /Linux version[\s\S]*Kernel panic/.test(stdout ?? '') ? 'kvm' : 'tcg';
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(path, found + '\n');
  return found;
}

function bare(how: Acceleration): string[] {
  return [
    '-accel',
    how === 'tcg' ? 'tcg,thread=multi' : 'kvm',
    '-cpu',
    PROCESSOR[how],
    '-M',
    'q35',
    '-nodefaults',
    '-no-user-config',
    '-display',
    'none',
    '-no-reboot',
  ];
}

export type Boot = {
  readonly acceleration: Acceleration;
  readonly kernelImage: string;
  readonly initramfs: string;
  readonly root: string;
  readonly disk: Disk;
  readonly socket: string; // where the test listens for the agent
  readonly console: string; // the file the machine's console is written to
};

/**
 * Starts qemu; it dies with this process. It ends by itself when the machine halts or asks for a reboot.
 * One processor: with two, a kernel that patches its own code on one of them (jump labels) may in software emulation
 * run into the patch on the other and die (seen at boot), and machines run side by side anyway.
 * Programs lie at the same addresses each time (norandmaps): the emulator knows translated code by its address, and would
 * translate every library anew for each process (a command of the program takes 40 % less).
 * The machine sees a disk with a write cache, and so flushes it (`write-cache=on`).
 */
export function startQemu(boot: Boot): ChildProcess {
  const said = openSync(boot.console, 'a');
  const child = spawn(
    'setpriv',
    [
      '--pdeathsig',
      'KILL',
      '--',
      QEMU,
      ...bare(boot.acceleration),
      '-m',
      '512',
      '-smp',
      '1',
      '-kernel',
      boot.kernelImage,
      '-initrd',
      boot.initramfs,
      '-append',
      'console=ttyS0 panic=-1 loglevel=5 net.ifnames=0 mitigations=off random.trust_cpu=on norandmaps',
      '-serial',
      'stdio',
      '-blockdev',
      `driver=file,filename=${boot.root},node-name=rootfile,read-only=on`,
      '-device',
      'virtio-blk-pci,drive=rootfile',
      '-blockdev',
      `driver=file,filename=${boot.disk.path},node-name=diskfile,cache.no-flush=on`,
      '-blockdev',
      `driver=file,filename=${boot.disk.log},node-name=logfile,cache.no-flush=on`,
      '-blockdev',
      'driver=blklogwrites,file=diskfile,log=logfile,node-name=disk,log-sector-size=512',
      '-device',
      'virtio-blk-pci,drive=disk,write-cache=on,discard=off,write-zeroes=off',
      '-chardev',
      `socket,id=agent,path=${boot.socket}`,
      '-device',
      'virtio-serial-pci',
      '-device',
      'virtserialport,chardev=agent,name=org.sipalg.agent',
      '-device',
      'virtio-rng-pci',
    ],
    { stdio: ['ignore', said, said], detached: true },
  );
  closeSync(said);
  return child;
}
