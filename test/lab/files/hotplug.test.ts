/** The hotplug script: which events make it apply the wish, and how often. */
import { existsSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeWish } from '../../../src/wish/write.ts';
import { openRoot, SHELLS } from './scripts.ts';

const SCRIPT = readFileSync('files/etc/hotplug.d/iface/30-sipalg', 'utf8');
const STOCK = readFileSync('files/etc/config/sipalg', 'utf8');
const WAN = { ACTION: 'ifup', INTERFACE: 'wan', DEVICE: 'wan' };

// What OpenWrt's functions say of the file the test has written, option by option.
const FUNCTIONS = `
config_load() { [ "$1" = sipalg ]; }
config_get() { eval "$1=\\$(sed -n \\"s/^[[:space:]]*option $3 '\\(.*\\)'/\\1/p\\" \\"$SIPALG_ROOT/etc/config/sipalg\\" | head -n 1)"; }
config_get_bool() { config_get "$1" "$2" "$3"; eval "[ -n \\"\\$$1\\" ]" || eval "$1=$4"; }
`;

type Case = { wish?: string; enabled?: boolean; installed?: boolean; times?: number };

/** How often the wish was applied, in each shell; all of them must agree. */
function applied(
  events: readonly Record<string, string>[],
  { wish = writeWish(STOCK, 'disabled'), enabled = true, installed = true }: Case = {},
): number {
  const counts = SHELLS.map((shell) => {
    const root = openRoot();
    try {
      const here = SCRIPT.replace(/(?<![\w"])\/(etc|lib|var)\//g, `${root.path}/$1/`);
      root.write('/etc/config/sipalg', wish);
      root.write('/lib/functions.sh', FUNCTIONS);
      root.write('/var/run/.keep', '');
      root.write('/30-sipalg', here);
      if (installed)
        root.write(
          '/etc/init.d/sipalg',
          `#!/bin/sh\ncase $1 in enabled) exit ${enabled ? 0 : 1} ;; *) echo "$1" >>"$SIPALG_ROOT/calls" ;; esac\n`,
          0o755,
        );
      const words = (env: Record<string, string>): string =>
        Object.entries(env)
          .map(([name, value]) => `${name}='${value}'`)
          .join(' ');
      // As hotplug-call: each script is read in a shell of its own. The pause is shortened.
      const text = `sleep() { command sleep 0.4; }\n${events.map((env) => `( ${words(env)}; . "$SIPALG_ROOT/30-sipalg" )`).join('\n')}\nwait; command sleep 0.8`;
      const { said } = root.run(shell, text);
      assert.is(said, '', shell.join(' '));
      const calls = existsSync(`${root.path}/calls`) ? readFileSync(`${root.path}/calls`, 'utf8').trim().split('\n') : [];
      assert.ok(
        calls.every((call) => call === 'apply'),
        calls.join(),
      );
      return calls.length;
    } finally {
      root.close();
    }
  });
  for (const count of counts) assert.is(count, counts[0]);
  return counts[0]!;
}

const hotplug = suite('the hotplug script');

hotplug('applies the wish when an interface comes up, or has another address', () => {
  assert.is(applied([WAN]), 1);
  assert.is(applied([{ ...WAN, ACTION: 'ifupdate', IFUPDATE_ADDRESSES: '1' }]), 1);
  assert.is(applied([{ ...WAN, ACTION: 'ifupdate', IFUPDATE_DATA: '1' }]), 1);
});

hotplug('looks at lines that come and go where phones are to follow the main one, whatever else is wished', () => {
  const events = ['ifdown', 'connected', 'disconnected'].map((ACTION) => ({ ...WAN, ACTION }));
  for (const event of events) {
    assert.is(applied([event]), 0, event.ACTION);
    assert.is(applied([event], { wish: STOCK.replace("option failback '0'", "option failback '1'") }), 1, event.ACTION);
  }
  assert.is(applied([WAN], { wish: STOCK.replace("option failback '0'", "option failback '1'") }), 1);
});

hotplug('leaves other events alone', () => {
  assert.is(
    applied([
      { ...WAN, ACTION: 'ifdown' },
      { ...WAN, ACTION: 'ifupdate' },
      { ...WAN, ACTION: 'ifupdate', IFUPDATE_ROUTES: '1' },
      { ...WAN, INTERFACE: 'loopback' },
      { DEVICE: 'wan' },
    ]),
    0,
  );
});

hotplug('applies once for events that come in company', () => {
  assert.is(applied([WAN, { ...WAN, INTERFACE: 'wan6' }, { ...WAN, INTERFACE: 'lan' }]), 1);
});

hotplug('starts nothing where nothing is wished, or the service is switched off or gone', () => {
  assert.is(applied([WAN], { wish: STOCK }), 0);
  assert.is(applied([WAN], { enabled: false }), 0);
  assert.is(applied([WAN], { installed: false }), 0);
});

hotplug('applies a wish for the voice rules alone', () => {
  assert.is(applied([WAN], { wish: STOCK.replace("option policy '0'", "option policy '1'") }), 1);
});

hotplug.run();
