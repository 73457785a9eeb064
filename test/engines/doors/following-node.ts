import { follow } from '../../../src/engines/node/following.ts';
import { drive } from './following.ts';

void drive(follow, process.argv.slice(2)).then((text) => process.stdout.write(text));
