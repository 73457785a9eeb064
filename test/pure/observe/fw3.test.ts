/** How the configuration is read, held against the rules that a real firewall3 wrote from it (3a65fde, helpers in the kernel). */
import { readFileSync, readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canMatchInRaw, reachedChains } from '../../../src/languages/iptables/reach.ts';
import { helperOf, parseSave } from '../../../src/languages/iptables/save.ts';
import { observeDefinitions, FIREWALL_CONFIG, firewallFacts } from '../../../src/observe/firewall.ts';
import { recorded } from './recording.ts';

const FOLDER = 'test/fixtures/fw3';
const HELPERS = readFileSync('test/fixtures/routers/fw3-21.02/root/usr/share/fw3/helpers.conf', 'utf8');
const names = readdirSync(FOLDER).flatMap((file) => (file.endsWith('.config') ? [file.replace('.config', '')] : []));

/**
 * Rules that set sip, as `CHAIN` where they can match, `CHAIN unreached` where nothing leads there, and `CHAIN never` where they
 * cannot.
 */
function written(name: string, family: 'iptables' | 'ip6tables'): string[] {
  const text = readFileSync(`${FOLDER}/${name}.${family}-save.txt`, 'utf8').replace(/^(:\S+ \S+)$/gm, '$1 [0:0]');
  const raw = parseSave(text).tables.find((table) => table.name === 'raw');
  if (raw === undefined) return [];
  const reached = reachedChains(raw, canMatchInRaw);
  const found = raw.rules
    .filter((rule) => helperOf(rule) === 'sip')
    .map((rule) => `${rule.chain}${!canMatchInRaw(rule) ? ' never' : reached.has(rule.chain) ? '' : ' unreached'}`);
  return [...new Set(found)].sort();
}

const fw3 = suite('a configuration of firewall3');

for (const name of names) {
  fw3(`${name}: is read as firewall3 reads it`, async () => {
    const text = readFileSync(`${FOLDER}/${name}.config`, 'utf8');
    const files = { [FIREWALL_CONFIG]: text, '/usr/share/fw3/helpers.conf': HELPERS, '/sys/module/nf_conntrack_sip/x': '' };
    const definitions = await observeDefinitions(recorded({ files, commands: {} }), 'fw3');
    assert.is(definitions.state, 'present');
    const { zones, forwards, setHelper } = firewallFacts(text, 'fw3', definitions.state === 'present' ? definitions.value : []);
    const expected = [
      ...zones.filter(({ sip }) => sip !== 'not').map((zone) => `zone_${zone.name}_helper`),
      ...(setHelper.some(({ enabled }) => enabled) ? ['zone_lan_helper'] : []),
    ];
    const live = written(name, 'iptables').filter((chain) => !chain.endsWith(' never'));
    // A zone without a device has its chain, and nothing leads to it.
    const guest = name === 'zone-without-device';
    assert.equal(
      live,
      [...new Set(expected)].map((chain) => (guest && chain === 'zone_guest_helper' ? `${chain} unreached` : chain)).sort(),
      name,
    );
    // IPv6 has no port forwards.
    assert.equal(
      written(name, 'ip6tables').filter((chain) => !chain.endsWith(' never')),
      live,
      name,
    );
    assert.is(
      written(name, 'iptables').some((chain) => chain.endsWith(' never')),
      forwards.length > 0,
      `${name}: port forwards`,
    );
  });
}

fw3.run();
