import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { comparable } from '../../lab/listing.ts';

const rule = (chain: string, comment: string, more: object = {}): object => ({
  rule: { family: 'inet', table: 'fw4', chain, comment, handle: comment.length, ...more },
});

const listing = suite('comparable listings of nft');

listing('takes no notice of handles, counts, versions and the order in which objects were made', () => {
  const helper = (name: string, handle: number): object => ({ 'ct helper': { family: 'inet', table: 'fw4', name, handle } });
  assert.equal(
    comparable([
      { metainfo: { version: '1.0.6' } },
      helper('ftp', 1),
      helper('sip', 2),
      rule('a', 'x', { expr: [{ counter: { packets: 1, bytes: 2 } }] }),
    ]),
    comparable([
      { metainfo: { version: '1.1' } },
      helper('sip', 9),
      helper('ftp', 3),
      rule('a', 'x', { expr: [{ counter: { packets: 7, bytes: 8 } }] }),
    ]),
  );
});

listing('sees rules that changed places in their chain, and none of that between chains', () => {
  assert.not.equal(comparable([rule('a', 'one'), rule('a', 'other')]), comparable([rule('a', 'other'), rule('a', 'one')]));
  assert.equal(comparable([rule('a', 'one'), rule('b', 'other')]), comparable([rule('b', 'other'), rule('a', 'one')]));
});

listing('sees a rule, an object or an element that is gone or changed', () => {
  assert.not.equal(comparable([rule('a', 'one')]), comparable([]));
  assert.not.equal(comparable([rule('a', 'one')]), comparable([rule('a', 'two')]));
  assert.not.equal(
    comparable([{ set: { family: 'ip', table: 't', name: 's', elem: [1, 2] } }]),
    comparable([{ set: { family: 'ip', table: 't', name: 's', elem: [1] } }]),
  );
});

listing.run();
