// What `watch` costs while fifty calls go on: node bench/watching.mjs, as root, after `npm run build`. BENCH_SECONDS: for each of four ways.
import { load } from '../test/lab/load.mjs';

const { rows } = await load('bench/watching.ts');
console.log(JSON.stringify(await rows(), null, 2));
