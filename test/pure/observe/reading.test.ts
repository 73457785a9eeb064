import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { answered, complaint } from '../../../src/observe/reading.ts';

const said = suite("a tool's complaint");

said('is the line that speaks of an error, not the warnings before it', () => {
  const warnings =
    '[!] Section @zone[2] (docker) option "helper" is unknown\nSection @include[0] specifies unreachable path, no such file, ignoring section\n';
  const error = '/dev/stdin:118:2-14: Error: Could not process rule: File exists';
  assert.is(complaint(`${warnings}${error}\n\tchain input_docker {\n`), error);
  assert.is(complaint('', `\n${error}\n`), error);
  assert.is(complaint('flow_offloading_hw: nft failed\n'), 'flow_offloading_hw: nft failed');
});

said('names the section over which fw4 itself falls', () => {
  // What firewall4 b6e5157 says of an include of fw3's that an upgrade has kept.
  const warning = "Section @include[0] option 'type' specifies invalid value 'restore'";
  const error = 'Reference error: left-hand side expression is not an array or object';
  assert.is(complaint(`[!] Section @zone[0] (lan) is disabled, ignoring section\n[!] ${warning}\n${error}\nIn [anonymous function]()\n`), `${warning} (${error})`);
  assert.is(complaint(`${error}\n[!] ${warning}\n`), error);
  assert.is(complaint(`[!] ${warning}\nError: Could not process rule\n`), 'Error: Could not process rule', "nft's own is not of the section");
});

said('is the first line where none speaks of an error, and short', () => {
  assert.is(complaint(' \nnetlink said no\nmore\n'), 'netlink said no');
  assert.is(complaint('', ''), '');
  assert.is(complaint(`Error: ${'x'.repeat(5000)}`).length, 300);
});

said('is why a reading has failed', () => {
  const reading = answered({ state: 'exited', command: 'x', code: 3, stdout: '', stderr: 'a warning\nError: it broke\n' });
  assert.equal(reading, { state: 'failed', source: 'x', because: 'it ended with exit code 3: Error: it broke' });
});

said.run();
