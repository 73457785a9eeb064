import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { intactIptables, isExcluded } from '../../../src/voice/judge/compare.ts';
import { iptablesFindings } from '../../../src/voice/judge/iptables.ts';
import { INCLUDE_FILE } from '../../../src/voice/own.ts';
import { POLICY_FILE } from '../../../src/voice/paths.ts';
import { FW3_INCLUDE } from '../../../src/voice/render/iptables/restore.ts';
import type { Voice } from '../../../src/voice/rules.ts';
import type { Lab } from '../lab.ts';
import { look, openFw3, perform, planOf, STOCK, undo, VOICE } from './fw3.ts';
import type { Flavour } from './fw3.ts';

/** What another program would see: all rules of both families, without the times in comments. */
async function saved(lab: Lab): Promise<string> {
  const texts = await Promise.all(['iptables-save', 'ip6tables-save'].map((command) => lab.router.must([command])));
  return texts
    .join('')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.replace(/\[\d+:\d+\]/, '[0:0]'))
    .join('\n');
}

for (const flavour of ['legacy', 'nft'] as Flavour[]) {
  for (const ipset of [true, false]) {
    const test = suite<{ lab: Lab }>(`policy/iptables ${flavour}, ${ipset ? 'with' : 'without'} ipset`);
    test.before(async (context) => {
      context.lab = await openFw3(flavour);
      if (!ipset) context.lab.files.remove('/usr/sbin/ipset');
    });
    test.after(({ lab }) => lab.close());

    test('puts the rules in, finds nothing left to do, replaces and removes them without a trace', async ({ lab }) => {
      const before = await saved(lab);
      const first = await look(lab);
      assert.equal(first.extensions, {
        comment: true,
        conntrack: true,
        multiport: true,
        u32: true,
        recent: true,
        dscp: true,
        DSCP: true,
        hashlimit: true,
        set: ipset,
      });
      assert.is(first.inForce.ipv4.state, 'absent');
      const part = planOf(first, VOICE);
      assert.equal(part.refused, []);
      await perform(lab, part);

      const second = await look(lab);
      assert.equal(planOf(second, VOICE).steps, []);
      for (const family of ['ipv4', 'ipv6'] as const) {
        const { [family]: inForce } = second.inForce;
        assert.ok(inForce.state === 'present' && intactIptables(second)[family] && inForce.value.mark !== null, family);
        assert.equal(
          inForce.state === 'present' && inForce.value.counters.map(({ name }) => name).sort(),
          [
            ...['register', 'invite', 'options', 'other', 'tcp'].flatMap((method) => [`attempts_${method}`, `limited_${method}`]),
            'limited_kilobytes',
            'voice_media',
            'voice_signalling',
          ].sort(),
        );
      }
      // Undone on the way in: nothing is left, the file neither.
      await undo(lab, part);
      assert.is(await saved(lab), before);
      assert.not(lab.files.exists(POLICY_FILE));
      await perform(lab, planOf(await look(lab), VOICE));

      const other: Voice = {
        ...VOICE,
        limit: { register: 7, invite: 10, options: 10, other: 20, kilobytes: 2 },
        wan: ['pppoe-wan', 'wan'],
        media: { ipv4: ['192.0.2.0/24'], ipv6: [] },
      };
      const replace = planOf(await look(lab), other);
      const stood = await saved(lab);
      await perform(lab, replace);
      const replaced = await saved(lab);
      assert.equal(planOf(await look(lab), other).steps, []);
      await undo(lab, replace);
      assert.is(await saved(lab), stood);
      await perform(lab, planOf(await look(lab), other));
      assert.is(await saved(lab), replaced);

      await perform(lab, planOf(await look(lab, false), null));
      assert.is(await saved(lab), before);
      lab.files.remove(POLICY_FILE); // the room's last step
      if (ipset) assert.is(await lab.router.must(['ipset', 'list', '-n']), '');
      assert.equal(planOf(await look(lab, false), null).steps, []);
    });

    test('sees what was changed by hand, and keeps what was counted', async ({ lab }) => {
      await perform(lab, planOf(await look(lab), VOICE));
      await lab.router.must(['iptables', '-t', 'mangle', '-D', 'sipalg_unknown', '1']);
      const seen = await look(lab);
      assert.equal([seen.inForce.ipv4.state, seen.inForce.ipv6.state], ['present', 'present']);
      assert.equal(intactIptables(seen), { ipv4: false, ipv6: true });
      await lab.router.must(['iptables-restore', '--noflush', '--counters'], {
        input: '*mangle\n:sipalg_voice_media - [0:0]\n[12:3400] -A sipalg_voice_media -j DSCP --set-dscp 0x2e\nCOMMIT\n',
      });
      const part = planOf(await look(lab), VOICE);
      assert.equal(
        part.steps.map(({ text }) => /IPv[46]/.exec(text)?.[0] ?? 'sets'),
        ipset ? ['sets', 'IPv4'] : ['IPv4'],
      );
      await perform(lab, part);
      const mended = await look(lab);
      assert.ok(mended.inForce.ipv4.state === 'present' && intactIptables(mended).ipv4);
      assert.equal(
        mended.inForce.ipv4.state === 'present' && mended.inForce.ipv4.value.counters.find(({ name }) => name === 'voice_media'),
        { name: 'voice_media', packets: 12, bytes: 3400 },
      );
    });

    test('a jump taken out or doubled by hand is put right', async ({ lab }) => {
      const jump = [
        'FORWARD',
        '-p',
        'udp',
        '-m',
        'multiport',
        '--ports',
        '5060',
        '-m',
        'comment',
        '--comment',
        '!sipalg',
        '-j',
        'sipalg_signalling',
      ];
      for (const verb of ['-D', '-A']) {
        await lab.router.must(['iptables', '-t', 'mangle', verb, ...jump]);
        assert.ok(planOf(await look(lab), VOICE).steps.length > 0);
        await perform(lab, planOf(await look(lab), VOICE));
        assert.is((await saved(lab)).split('-A FORWARD -p udp -m multiport ').length, 3);
      }
    });

    test("keeps marked voice out of flow offload, behind its owner's drops, and is put there again after a load", async ({ lab }) => {
      const { router, files } = lab;
      // A chain of that name stands in for fw3's target, which this kernel has not.
      const fw3 = (verb: string): string =>
        [
          ...(verb === '-A' ? [':forwarding_rule - [0:0]', ':FLOWOFFLOAD - [0:0]', '-A FLOWOFFLOAD -j ACCEPT'] : []),
          `${verb} FORWARD -m comment --comment "!fw3: Custom forwarding rule chain" -j forwarding_rule`,
          `${verb} FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment "!fw3: Traffic offloading" -j FLOWOFFLOAD`,
          ...STOCK.split('\n')
            .filter((rule) => rule.startsWith('-A FORWARD') && !rule.includes('TCPMSS'))
            .map((rule) => rule.replace('-A', verb)),
        ].join('\n');
      const filter = (rules: string): Promise<string> =>
        router.must(['iptables-restore', '--noflush'], { input: `*filter\n${rules}\nCOMMIT\n` });
      const order = async (): Promise<string[]> =>
        (await router.must(['iptables', '-S', 'FORWARD'])).split('\n').flatMap((rule) => /-j (\S+)$/.exec(rule)?.[1] ?? []);
      await filter(fw3('-D').split('\n').slice(2).join('\n'));
      await filter(fw3('-A'));
      const offload = { state: 'present', value: { software: true, hardware: false, forward: null }, source: 'test' } as const;
      const seen = { ...(await look(lab)), offload };
      assert.is(isExcluded(seen), false);
      const before = await saved(lab);
      const part = planOf(seen, VOICE);
      await perform(lab, part);
      const IN_PLACE = ['forwarding_rule', 'sipalg_keep', 'FLOWOFFLOAD', 'ACCEPT', 'ACCEPT', 'ACCEPT'];
      assert.equal(await order(), IN_PLACE);
      assert.is(
        await router.must(['iptables', '-S', 'sipalg_keep']),
        '-N sipalg_keep\n-A sipalg_keep -m dscp ! --dscp 0x00 -j ACCEPT\n',
      );
      await undo(lab, part);
      assert.is(await saved(lab), before);
      await perform(lab, planOf({ ...(await look(lab)), offload }, VOICE));
      const after = { ...(await look(lab)), offload };
      assert.is(isExcluded(after), true);
      assert.equal(planOf(after, VOICE).steps, []);

      // A call's flow that is up: its owner drops it, and takes that back.
      const [far, near] = await Promise.all([lab.talker('provider'), lab.talker('phone')]);
      const [there, here] = [await far.udp('203.0.113.10', 5060), await near.udp('192.168.1.10', 5099)];
      const passes = async (): Promise<boolean> => {
        await here.send(Buffer.from('REGISTER sip:x SIP/2.0\r\n\r\n'), { address: '203.0.113.10', port: 5060 });
        const received = await there.next(300);
        if (received === undefined) return false;
        // Only what was answered is established.
        await there.send(Buffer.from('SIP/2.0 200 OK\r\n\r\n'), received.from);
        return (await here.next()) !== undefined;
      };
      assert.equal([await passes(), await passes()], [true, true]);
      const drop = ['forwarding_rule', '-s', '192.168.1.10', '-p', 'udp', '--dport', '5060', '-j', 'DROP'];
      await router.must(['iptables', '-A', ...drop]);
      assert.is(await passes(), false, 'nothing of ours stands before what its owner drops');
      await router.must(['iptables', '-D', ...drop]);
      await router.must(['iptables', '-Z', 'FORWARD']);
      assert.is(await passes(), true);
      const counted = await router.must(['iptables-save', '-c', '-t', 'filter']);
      assert.match(counted, /\[2:\d+\] -A FORWARD [^\n]*-j sipalg_keep\n\[0:0\] -A FORWARD [^\n]*-j FLOWOFFLOAD\n/);
      await Promise.all([here.close(), there.close()]);

      // A reload of fw3 writes its rules anew, behind ours.
      files.write(INCLUDE_FILE, FW3_INCLUDE);
      for (const mend of [
        () => router.must(['sh', '-c', `. ${INCLUDE_FILE}`]),
        async () => perform(lab, planOf({ ...(await look(lab)), offload }, VOICE)),
      ]) {
        await filter(fw3('-D'));
        await filter(fw3('-A').split('\n').slice(3).join('\n'));
        assert.is((await order())[0], 'sipalg_keep');
        assert.equal(intactIptables({ ...(await look(lab)), offload }), { ipv4: false, ipv6: true });
        await mend();
        assert.equal(await order(), IN_PLACE);
        assert.equal(planOf({ ...(await look(lab)), offload }, VOICE).steps, []);
      }
      // Where nothing is offloaded any more, it stands behind all others.
      await router.must(['iptables', '-D', 'FORWARD', '3']);
      await router.must(['sh', '-c', `. ${INCLUDE_FILE}`]);
      assert.equal(await order(), ['forwarding_rule', 'ACCEPT', 'ACCEPT', 'ACCEPT', 'sipalg_keep']);
      await perform(lab, planOf(await look(lab), VOICE));
      assert.not.match(await router.must(['iptables-save', '-t', 'filter']), /sipalg/);
      files.remove(INCLUDE_FILE);
    });

    test('takes 10,000 networks', async ({ lab }) => {
      const ipv4 = Array.from({ length: 8000 }, (_, nth) => `${100 + (nth % 7)}.${nth >> 8}.${nth & 255}.0/25`);
      const ipv6 = Array.from({ length: 2000 }, (_, nth) => `2001:${(nth >> 6).toString(16)}:${(nth & 63).toString(16)}::/48`);
      const many: Voice = { ...VOICE, signalling: { ipv4, ipv6 }, media: { ipv4, ipv6 } };
      const start = Date.now();
      const part = planOf(await look(lab), many);
      const rendered = Date.now() - start;
      await perform(lab, part);
      console.log(`${flavour} ${ipset ? 'ipset' : 'chains'}: planned in ${rendered} ms, applied in ${Date.now() - start - rendered} ms`);
      const again = Date.now();
      const seen = await look(lab);
      console.log(`looked in ${Date.now() - again} ms`);
      assert.equal(planOf(seen, many).steps, []);
      await perform(lab, planOf(await look(lab), VOICE));
      await perform(lab, planOf(await look(lab, false), null));
      assert.not.match(await saved(lab), /sipalg/);
    });

    test.run();
  }

  const lacking = suite(`policy/iptables ${flavour}, without extensions`);
  lacking('names what is missing with its package, and does the rest', async () => {
    const lab = await openFw3(flavour);
    try {
      const folder = lab.files.list('/usr/lib').includes('x86_64-linux-gnu')
        ? '/usr/lib/x86_64-linux-gnu/xtables'
        : '/usr/lib/aarch64-linux-gnu/xtables';
      for (const name of ['u32', 'recent', 'hashlimit', 'dscp', 'DSCP']) {
        // Rules that use it cannot even be listed without it.
        await perform(lab, planOf(await look(lab, false), null));
        lab.files.remove(`${folder}/libxt_${name}.so`);
        const seen = await look(lab);
        assert.is(seen.extensions[name], false, name);
        const part = planOf(seen, VOICE);
        assert.equal(part.refused, []);
        await perform(lab, part);
        assert.equal(planOf(await look(lab), VOICE).steps, [], name);
      }
      const seen = await look(lab);
      assert.equal(
        iptablesFindings(seen, VOICE).map(({ text }) => /package (\S+),/.exec(text)?.[1]),
        ['iptables-mod-u32', 'iptables-mod-hashlimit', 'iptables-mod-conntrack-extra', 'iptables-mod-ipopt', 'iptables-mod-ipopt'],
      );
      assert.not.match(await saved(lab), /sipalg/);
    } finally {
      await lab.close();
    }
  });
  lacking.run();
}
