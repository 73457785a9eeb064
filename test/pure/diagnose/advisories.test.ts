import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  advise,
  END_OF_LIFE,
  isVulnerable,
  kernelVersion,
  KNOWN_ON,
  OPENWRT_KERNELS,
  VULNERABILITIES,
} from '../../../src/diagnose/advisories.ts';
import type { Module } from '../../../src/observe/facts.ts';
import { calls, facts, present } from './made.ts';
import { published } from '../../../src/words/published.ts';

const advisories = suite('advisories');

const of = (id: string) => VULNERABILITIES.find((one) => one.id === id) as (typeof VULNERABILITIES)[number];
const tracker = (state: Module['state'], parameters: Record<string, string> = {}) => ({
  name: 'nf_conntrack_sip',
  state,
  refcount: 0,
  holders: [],
  parameters,
  file: null,
});

async function on(
  kernel: string,
  state: Module['state'],
  alg: 'rewriting' | 'off',
  release = 'OpenWrt 25.12.5 r33051-f5dae5ece4',
  build = '',
  parameters = {},
) {
  const base = await facts();
  const { modules, system } = base;
  const all = advise(
    {
      ...base,
      at: Date.parse('2026-11-28'),
      modules: { ...modules, tracker: present(tracker(state, parameters)) },
      system: { ...system, kernel: present(kernel), release: present(release) },
      calls: calls({ build: present(build) }),
    },
    alg,
  );
  return published(all);
}

advisories('know each vulnerability with number, score, date, lines and source', () => {
  assert.is(VULNERABILITIES.length, 8);
  const scores = VULNERABILITIES.map(({ score }) => score ?? 0);
  assert.equal(
    scores,
    [...scores].sort((one, other) => other - one),
    'worst first',
  );
  for (const { id, score, published, fixed, free, source } of VULNERABILITIES) {
    assert.match(id, /^CVE-\d{4}-\d{4,}$/);
    assert.ok(score === null || (score > 0 && score <= 10));
    assert.ok(published <= KNOWN_ON && /^\d{4}-\d\d-\d\d$/.test(published));
    assert.ok(Object.keys(fixed).length >= 4 && /^\d+\.\d+$/.test(free));
    assert.ok(source.endsWith(id));
  }
});

advisories('know which kernels have one: the release before the fix, never the one with it', () => {
  for (const one of VULNERABILITIES) {
    for (const [line, patch] of Object.entries(one.fixed)) {
      assert.ok(isVulnerable(one, `${line}.${patch - 1}`), `${one.id} ${line}`);
      assert.not.ok(isVulnerable(one, `${line}.${patch}`), `${one.id} ${line}`);
    }
    assert.not.ok(isVulnerable(one, `${one.free}.0`));
    assert.ok(isVulnerable(one, '5.4.300'), 'a line that ended without a fix');
    assert.not.ok(isVulnerable(one, '2.6.19'));
  }
  assert.not.ok(isVulnerable(of('CVE-2026-52986'), '6.18.44'));
});

advisories("read OpenWrt's and Debian's numbering", () => {
  assert.is(kernelVersion('6.6.73', '#0 SMP Mon Feb 3 23:09:37 2025'), '6.6.73');
  assert.is(kernelVersion('6.1.0-50-amd64', '#1 SMP PREEMPT_DYNAMIC Debian 6.1.170-3 (2026-05-02)'), '6.1.170');
  assert.is(kernelVersion('6.12.117+deb13-amd64', '#1 SMP PREEMPT_DYNAMIC Debian 6.12.117-1 (2026-10-01)'), '6.12.117');
  assert.is(kernelVersion('6.12.117+deb13-cloud-amd64', null), '6.12.117');
  assert.is(kernelVersion('6.1.0-50-amd64', '#1 SMP'), null);
  assert.is(kernelVersion('unreadable', null), null);
});

advisories('say whether the code runs, is ready, or lies on disk, and which release mends it', async () => {
  const now = await on('6.12.71', 'loaded', 'rewriting');
  assert.is(now[0]?.id, 'alg-on');
  const worst = now.find(({ id }) => id === 'CVE-2026-52986');
  assert.is(worst?.reach, 'now');
  assert.match(worst?.text ?? '', /CVSS 9\.8, 2026-06-24.*Kernel 6\.12\.71 has it; the helper is on\./);
  assert.match(
    worst?.fix ?? '',
    /`sipalg disable` at once; kernel 6\.12\.91 and later have the fix; of OpenWrt's releases 24\.10\.8 \(6\.6\.144\) and 25\.12\.5/,
  );
  assert.match(now.find(({ id }) => id === 'CVE-2026-72251')?.fix ?? '', /kernel 6\.12\.97 .* none of OpenWrt's releases known here does/);
  const ready = await on('6.12.71', 'loaded', 'off');
  assert.ok(ready.every(({ id, reach }) => id !== 'alg-on' && reach === 'ready'));
  assert.ok((await on('6.12.71', 'on disk', 'off')).every(({ reach }) => reach === 'on disk'));
  assert.equal(await on('6.12.71', 'not there', 'off'), []);
  assert.equal(
    (await on('6.12.94', 'loaded', 'off')).map(({ id }) => id),
    ['CVE-2026-72251', 'CVE-2026-72253', 'CVE-2026-74569'],
  );
  // What a parameter keeps away is not said to be there.
  assert.equal(
    (await on('6.12.94', 'loaded', 'off', undefined, '', { sip_external_media: '0' })).map(({ id }) => id),
    ['CVE-2026-72251', 'CVE-2026-74569'],
  );
  const unscored = (await on('6.12.94', 'loaded', 'off')).find(({ id }) => id === 'CVE-2026-74569');
  assert.match(unscored?.text ?? '', /^CVE-2026-74569 \(no CVSS score known here, 2026-08-15\): /);
  assert.is(unscored?.score, null);
});

advisories('say that a version is not told, instead of nothing', async () => {
  const debian = await on('6.1.0-50-amd64', 'loaded', 'off', 'Debian GNU/Linux 12 (bookworm)');
  assert.equal(
    debian.map(({ id }) => id),
    ['kernel-unknown'],
  );
  const told = await on('6.1.0-50-amd64', 'loaded', 'off', 'Debian GNU/Linux 12 (bookworm)', '#1 SMP Debian 6.1.170-3');
  assert.ok(told.some(({ id, fix }) => id === 'CVE-2026-52986' && /kernel 6\.1\.175 and later have the fix\.$/.test(fix)));
});

advisories('name a release past its end of life, with the date, from that day on', async () => {
  for (const [line, date] of Object.entries(END_OF_LIFE)) {
    const base = await facts();
    const at = (moment: number) =>
      advise({ ...base, at: moment, system: { ...base.system, release: present(`OpenWrt ${line}.9 r1-abc`) } }, 'off').filter(
        ({ id }) => id === 'end-of-life',
      );
    assert.is(at(Date.parse(date)).length, 1, line);
    assert.match(at(Date.parse(date))[0]?.text.text ?? '', new RegExp(`OpenWrt ${line} has been past its end of life since ${date}`));
    assert.equal(at(Date.parse(date) - 1), []);
  }
  assert.not.ok((await on('6.12.94', 'not there', 'off')).some(({ id }) => id === 'end-of-life'));
  for (const release of Object.keys(OPENWRT_KERNELS)) assert.match(release, /^\d\d\.\d\d\.\d+$/);
});

advisories.run();
