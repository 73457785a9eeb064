/** Rules of iptables that turn packets away. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { savedDrops } from '../../../../src/languages/iptables/drops.ts';
import { parseSave } from '../../../../src/languages/iptables/save.ts';

const drops = suite('drop rules of iptables');

const of = (...rules: string[]) =>
  savedDrops(parseSave(['*filter', ':FORWARD DROP [0:0]', ':mine - [0:0]', ...rules, 'COMMIT', ''].join('\n')).tables, 'ip');

drops('are read with what they ask for and what they have counted', () => {
  const [first, second, third] = of(
    '[1:60] -A FORWARD -j ACCEPT',
    '[9:900] -A FORWARD -s 198.51.100.5/32 -i eth0.2 -p udp -m udp ! --dport 5060:5061 -m comment --comment "!fw3: media" -j DROP',
    '-A mine -p udp -m multiport --sports 53,5060 -j reject',
    '[0:0] -A mine -d 192.168.1.0/24 -o br+ -j zone_wan_dest_REJECT',
  );
  assert.equal(first, {
    family: 'ip',
    table: 'filter',
    chain: 'FORWARD',
    handle: 2,
    comment: 'media',
    packets: 9,
    bytes: 900,
    asks: [
      { of: 'source', not: false, values: ['198.51.100.5'] },
      { of: 'in', not: false, values: ['eth0.2'] },
      { of: 'protocol', not: false, values: ['udp'] },
      { of: 'destination port', not: true, values: ['5060-5061'] },
    ],
    more: false,
    limits: false,
    early: false,
    tool: 'iptables',
    set: null,
  });
  assert.equal(second?.asks[1], { of: 'source port', not: false, values: ['53', '5060'] });
  assert.equal([second?.packets, second?.handle, third?.handle], [null, 1, 2]);
  assert.equal(third?.asks, [
    { of: 'destination', not: false, values: ['192.168.1.0/24'] },
    { of: 'out', not: false, values: ['br*'] },
  ]);
});

drops('that ask for something else besides are held apart, and so are limits', () => {
  const [state, above, below, mark] = of(
    '-A mine -m conntrack --ctstate INVALID -j DROP',
    '-A mine -p udp -m hashlimit --hashlimit-above 20/sec --hashlimit-burst 5 --hashlimit-name x -j DROP',
    '-A mine -p udp -m limit --limit 10/sec -j DROP',
    '-A mine -m mark --mark 0x1/0xff -j DROP',
  );
  assert.equal([state?.more, above?.more, below?.more, mark?.more], [true, false, true, true]);
  assert.equal([state?.limits, above?.limits, below?.limits], [false, true, false]);
});

drops('by a set say which, of source or destination alone', () => {
  const sets = of(
    '-A FORWARD -m set --match-set banned src -j DROP',
    '-A FORWARD -m set --match-set banned dst -j banip_reject',
    '-A FORWARD -m set ! --match-set friends src -j DROP',
    '-A FORWARD -m set --match-set pairs src,dst -j DROP',
    '-A FORWARD -m set --match-set friends src -j ACCEPT',
  ).map(({ set }) => set);
  assert.equal(sets, ['banned', 'banned', null, null]);
});

drops.run();
