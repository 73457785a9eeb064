/**
 * What a test needs more than Node is said by the folder it lies in: test/lab
 * (network namespaces and the kernel's SIP ALG), test/machine (qemu), test/page
 * (a browser). The test command looks before it starts a layer, and lists its
 * files as skipped, with the reason, where they cannot run.
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
