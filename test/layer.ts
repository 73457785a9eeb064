/**
 * Tests that need more than Node say so in their file's name: `*.lab.test.ts`
 * (network namespaces and the kernel's SIP ALG), `*.vm.test.ts` (qemu),
 * `*.page.test.ts` (a browser). The test command looks before it starts such
 * a file, and lists it as skipped, with the reason, where it cannot run.
 */
import { held } from './asserting.ts';
import { report } from './runner/report.ts';

/**
 * Says that something a file would test cannot be tested on this machine. It
 * is listed with its reason at the end of a run, and is a failure when the
 * environment says CI=true. A file that said so need not hold a test.
 * @param reason a sentence that names what is lacking and how to get it
 */
export function announceSkip(reason: string): void {
  held();
  report({ event: 'skip', reason });
  console.log(`skipped: ${reason}`);
}
