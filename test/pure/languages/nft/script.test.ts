import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderCommand, renderScript } from '../../../../src/languages/nft/script.ts';
import type { Command } from '../../../../src/languages/nft/script.ts';
import { Refused } from '../../../../src/languages/refused.ts';
import { refuses } from '../texts.ts';
import { damage, seeded } from '../../../seeded.ts';

const at = { family: 'inet', table: 'fw4', chain: 'helper_lan' };
const rule = 'udp dport 5060 ct helper set "sip"';

const scripts = suite('nft/script');

scripts('renders each command as one line', () => {
  const commands: [Command, string][] = [
    [{ do: 'delete rule', ...at, handle: 72 }, 'delete rule inet fw4 helper_lan handle 72'],
    [{ do: 'add rule', ...at, handle: null, rule }, `add rule inet fw4 helper_lan ${rule}`],
    [{ do: 'add rule', ...at, handle: 71, rule }, `add rule inet fw4 helper_lan handle 71 ${rule}`],
    [{ do: 'insert rule', ...at, handle: 73, rule }, `insert rule inet fw4 helper_lan handle 73 ${rule}`],
    [{ do: 'add element', family: 'ip', table: 't', map: 'm', element: '5060 : "sip"' }, 'add element ip t m { 5060 : "sip" }'],
    [{ do: 'delete element', family: 'ip', table: 't', map: 'm', element: '5060 : "sip"' }, 'delete element ip t m { 5060 : "sip" }'],
    [{ do: 'delete helper', family: 'inet', table: 'fw4', name: 'Q.931' }, 'delete ct helper inet fw4 Q.931'],
    [
      { do: 'add helper', family: 'inet', table: 'fw4', name: 'sip', type: 'sip', protocol: 'udp', l3proto: 'inet' },
      'add ct helper inet fw4 sip { type "sip" protocol udp; l3proto inet; }',
    ],
  ];
  for (const [command, line] of commands) assert.is(renderCommand(command), line);
  assert.is(renderScript(commands.map(([command]) => command)), commands.map(([, line]) => line + '\n').join(''));
  assert.is(renderScript([]), '');
});

scripts('refuses names, families, handles and texts that nft would read as something else', () => {
  const helper = { do: 'add helper', family: 'inet', table: 'fw4', name: 'sip', type: 'sip', protocol: 'udp', l3proto: 'inet' } as const;
  const bad: [Command, RegExp][] = [
    [{ do: 'delete rule', ...at, table: 'fw4; flush ruleset', handle: 1 }, /named "fw4; flush ruleset"/],
    [{ do: 'delete rule', ...at, chain: '', handle: 1 }, /named ""/],
    [{ do: 'delete rule', ...at, chain: '1st', handle: 1 }, /begins with a letter/],
    [{ do: 'delete rule', ...at, family: 'inet6', handle: 1 }, /no family "inet6"; it is one of ip, ip6, inet/],
    [{ do: 'delete rule', ...at, handle: 0 }, /no handle 0/],
    [{ do: 'delete rule', ...at, handle: NaN }, /no handle NaN/],
    [{ do: 'delete rule', ...at, handle: 1.5 }, /no handle 1.5/],
    [{ do: 'add rule', ...at, handle: null, rule: '' }, /not empty/],
    [{ do: 'add rule', ...at, handle: null, rule: 'accept\nflush ruleset' }, /one line/],
    [{ do: 'add rule', ...at, handle: null, rule: 'accept\rflush ruleset' }, /one line/],
    [{ ...helper, type: 'sip" protocol tcp; } #' }, /named/],
    [{ ...helper, protocol: 'udp; }' }, /named/],
    [{ ...helper, l3proto: '' }, /named ""/],
  ];
  for (const [command, words] of bad) refuses(() => renderCommand(command), words);
});

scripts('keeps every command on a line of its own, whatever a name or a rule holds', () => {
  let rendered = 0;
  for (let seed = 1; seed <= 2000; seed++) {
    const random = seeded(seed);
    const hurt = (text: string): string => (random.next() < 0.5 ? text : damage(text, random));
    const command: Command = {
      do: 'insert rule',
      family: hurt('inet'),
      table: hurt('fw4'),
      chain: hurt('helper_lan'),
      handle: 1 + random.below(9),
      rule: hurt(rule),
    };
    try {
      const text = renderScript([command, command]);
      assert.is(text.split('\n').length, 3, `seed ${seed}`);
      rendered++;
    } catch (error) {
      assert.instance(error, Refused, `seed ${seed}: ${String(error)}`);
    }
  }
  assert.ok(rendered > 200 && rendered < 1900, String(rendered));
});

scripts.run();
