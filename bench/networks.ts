/**
 * How long `sipalg apply` takes to put ten thousand networks in force, beyond the time that nft itself takes: in the lab's
 * router nft is wrapped, and says when each of its runs began and ended. The quickest of the rounds counts, for whatever else
 * the machine does only adds to it. Prints rows as bench/inside.mjs does.
 */
import { openLab } from '../test/lab/lab.ts';

const ROUNDS = 5;
const COUNT = 10_000;
/** Seconds. */
const LIMIT = 1;
const TIMES = '/tmp/nft-times';
const WRAPPER = `#!/bin/sh
began=$(date +%s%N)
/usr/sbin/nft.real "$@"
code=$?
echo "$began $(date +%s%N)" >> ${TIMES}
exit $code
`;

/** No two of them touch, so none are merged. */
const networks = Array.from(
  { length: COUNT },
  (_, at) => `\tlist signalling '${20 + (at >> 13)}.${(at >> 5) & 255}.${(at & 31) * 8}.0/24'\n`,
).join('');
const ONE = "\tlist signalling '192.0.2.0/24'\n";
const configuration = (policy: 0 | 1, list: string): string =>
  `config sipalg 'main'\n\toption alg 'unmanaged'\n\toption policy '${policy}'\nconfig provider 'many'\n${list}`;

/** Seconds in which at least one of them ran; two that ran at once count once. */
function covered(runs: readonly (readonly [number, number])[]): number {
  let [sum, end] = [0, 0];
  for (const [from, to] of [...runs].sort(([one], [other]) => one - other)) {
    sum += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return sum / 1e9;
}

const median = (list: readonly number[]): number => [...list].sort((one, other) => one - other)[list.length >> 1]!;

async function main(): Promise<void> {
  const lab = await openLab({ ruleset: 'stock-alg-absent', product: process.argv[2] ?? 'dist/router' });
  try {
    await lab.router.must(['mv', '/usr/sbin/nft', '/usr/sbin/nft.real']);
    lab.files.write('/usr/sbin/nft', WRAPPER, 0o755);
    const apply = async (policy: 0 | 1, list: string): Promise<{ all: number; nft: number }> => {
      lab.files.write('/etc/config/sipalg', configuration(policy, list));
      lab.files.write(TIMES, '');
      const began = performance.now();
      await lab.router.must(['sipalg', 'apply'], { timeout: 120_000 });
      const all = (performance.now() - began) / 1000;
      const nft = covered(
        lab.files
          .read(TIMES)
          .trim()
          .split('\n')
          .map((line) => line.split(' ').map(Number) as [number, number]),
      );
      return { all, nft };
    };
    const [beyond, alls, few]: number[][] = [[], [], []];
    for (let round = 0; round < ROUNDS; round++) {
      await apply(0, ONE);
      const without = await apply(1, ONE);
      few!.push(without.all - without.nft);
      await apply(0, ONE);
      const { all, nft } = await apply(1, networks);
      beyond!.push(all - nft);
      alls!.push(all);
    }
    if (!(await lab.router.must(['nft', 'list', 'set', 'inet', 'sipalg', 'signalling4'])).includes('20.0.0.0/24'))
      throw new Error('the networks are not in force');
    console.log(
      JSON.stringify([
        {
          what: "sipalg apply of 10,000 networks, beyond nft's own time",
          value: Math.min(...beyond!),
          limit: LIMIT,
          unit: 's',
          seen:
            `${beyond!.map((each) => each.toFixed(2)).join(', ')} s; with nft ${median(alls!).toFixed(2)} s; `
            + `with one network ${median(few!).toFixed(2)} s`,
        },
      ]),
    );
  } finally {
    await lab.close();
  }
}

void main();
