/** Messages of phones through the kernel's real ALG to a mirror: every field that it edits, and every message it drops, by name. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MirrorProbe as MirrorResult } from '../../../src/probe/mirror/result.ts';
import { HELP_TCP } from '../compare/captures.ts';
import { ADDRESS, ADDRESS6 } from '../network.ts';
import { behindTwo, inLab, mirror, probing } from './far.ts';
import type { Published } from '../../../src/words/published.ts';

type MirrorProbe = Published<MirrorResult>;
type Tried = MirrorProbe['tried'][number];

const FROM = 'From URI host translated';
const TO = 'To URI host translated';
const CONTACT = 'Contact URI host translated';
const VIA = 'Via sent-by translated';
const RECEIVED = 'Via ;received translated';
const SDP = ['SDP c= address translated', 'SDP o= address translated'];
const HEADER = [CONTACT, FROM, VIA];
const BACK = [FROM, RECEIVED, VIA];

/** What is changed on the way there, and back; null: it does not arrive. */
const EDITS: Readonly<Record<string, readonly [there: readonly string[], back: readonly string[]] | null>> = {
  register: [
    [CONTACT, FROM, TO, VIA],
    [FROM, TO, RECEIVED, VIA],
  ],
  invite: [[...HEADER, ...SDP], BACK],
  options: [HEADER, BACK],
  refer: [HEADER, BACK],
  update: [[...HEADER, ...SDP], BACK],
  hold: [[...HEADER, 'Content-Length length', 'SDP o= address value'], BACK],
  inactive: [[...HEADER, ...SDP], BACK],
  video: [[...HEADER, SDP[0]!, ...SDP], BACK],
  compact: [[...HEADER, ...SDP], BACK],
  folded: [[CONTACT, FROM, ...SDP], [FROM]],
  routed: [[...HEADER, ...SDP], BACK],
  stun: [[...HEADER, 'Content-Length length', 'SDP o= address value'], BACK],
  'origin-name': null,
  'connection-name': null,
  webrtc: null,
  multipart: [[...HEADER, 'Content-Length length-wrong', ...SDP], BACK],
  'one-packet': [[...HEADER, ...SDP], BACK],
  large: [[...HEADER, ...SDP], BACK],
  // The port that it takes from Via for the answers stands for the provider's as well (nf_nat_sip.c, map_addr).
  'other-port': [
    [CONTACT, FROM, 'Request-URI host port', 'To URI host port', ...SDP],
    ['Answer port moved', FROM],
  ],
  'same-media': null,
};

const found = (changes: Tried['changes']): string[] =>
  changes.map(({ field, part, change }) => [field, part, change].filter((word) => word !== '').join(' ')).sort();
const of = ({ tried }: MirrorProbe, over: Tried['over'], family: Tried['family'] = 'ipv4'): Tried[] =>
  tried.filter((one) => one.over === over && one.family === family);

const mirrors = suite('a mirror behind real routers');

mirrors('shows field by field what the ALG edits, there and back, and which messages it drops', () =>
  inLab({ ruleset: 'stock-alg-on' }, async (lab) => {
    await mirror(lab);
    await lab.router.must(['nft', '-f', '-'], { input: HELP_TCP });
    const { status, probe } = await probing<MirrorProbe>(lab, 'phone', ['--mirror', ADDRESS.provider]);
    assert.equal([status, probe.verdict, probe.where], [1, 'rewritten', 'on the way']);
    assert.equal(
      of(probe, 'udp').map(({ name, fate, changes, answer }) => [name, fate === 'dropped' ? null : [found(changes), found(answer)]]),
      Object.entries(EDITS).map(([name, edits]) => [name, edits && edits.map((list) => [...list].sort())]),
    );
    assert.ok(of(probe, 'udp').every(({ seen, fate }) => fate === 'dropped' || seen?.address === ADDRESS.wan));
    // By a rule of the owner's TCP too; and at the control port nobody looks.
    assert.equal(
      of(probe, 'tcp').map(({ name, fate, changes }) => [name, fate, found(changes)]),
      [
        ['register', 'rewritten', [CONTACT, FROM, TO, VIA].sort()],
        ['invite', 'rewritten', [...HEADER, ...SDP].sort()],
        // Each segment is taken for a message: what is cut in two is not found in either.
        ['split', 'rewritten', [CONTACT, FROM]],
        ['two-in-one', 'rewritten', [...HEADER, ...SDP].sort()],
      ],
    );
    assert.equal(
      probe.control.map(({ fate }) => fate),
      ['unchanged'],
    );
    // What was begun is ended by the mirror's answers: no way in is left open.
    assert.not.match(await lab.router.must(['cat', '/proc/net/nf_conntrack_expect']), /helper=sip|sip\/(audio|signalling)/);
  }),
);

mirrors('shows that IPv6 is tracked and not edited, and how many clients are served at once', () =>
  inLab({ ruleset: 'stock-alg-on' }, async (lab) => {
    const process = await mirror(lab);
    let said = '';
    process.child.stderr.on('data', (data: Buffer) => (said += data));
    const [six, ...four] = await Promise.all([
      probing<MirrorProbe>(lab, 'phone', ['--mirror', ADDRESS6.provider]),
      ...(['phone', 'phone2', 'phone', 'phone2'] as const).map((from) => probing<MirrorProbe>(lab, from, ['--mirror', ADDRESS.provider])),
    ]);
    assert.equal([six.status, six.probe.verdict], [1, 'dropped']);
    assert.equal(
      of(six.probe, 'udp', 'ipv6').map(({ name, fate }) => `${name} ${fate}`),
      ['register unchanged', 'invite unchanged', 'connection-name dropped', 'webrtc dropped'],
    );
    for (const { status, probe } of four) {
      assert.equal([status, probe.verdict], [1, 'rewritten']);
      assert.not.ok(
        probe.tried.some(({ fate }) => fate === 'lost'),
        probe.reasons.join('\n'),
      );
      // fw4 gives the helper to UDP alone.
      assert.ok(of(probe, 'tcp').every(({ fate }) => fate === 'unchanged'));
    }
    process.signal('SIGTERM');
    assert.equal((await process.ended).status, 0);
    assert.match(said, /ending: \d+ questions mirrored/);
  }),
);

mirrors('tells an ALG beyond a router from its own, and says where there is no mirror', () =>
  behindTwo({ ruleset: 'stock-alg-absent' }, true, async (lab) => {
    const process = await mirror(lab);
    const phone = await probing<MirrorProbe>(lab, 'phone', ['--mirror', ADDRESS.provider]);
    // Behind two translations no message names the address that the second router looks for; o= it edits all the same where c= is
    // another one, and what it cannot parse it drops.
    assert.equal([phone.status, phone.probe.verdict], [1, 'rewritten']);
    const fates = new Map(of(phone.probe, 'udp').map(({ name, fate, changes }) => [name, `${fate} ${found(changes).join(', ')}`]));
    assert.equal(
      ['register', 'invite', 'hold', 'webrtc'].map((name) => fates.get(name)),
      ['unchanged ', 'unchanged ', 'rewritten Content-Length length, SDP o= address value', 'dropped '],
    );
    const router = await probing<MirrorProbe>(lab, 'router', ['--mirror', ADDRESS.provider]);
    assert.equal([router.status, router.probe.verdict, router.probe.where, router.probe.here.alg], [1, 'rewritten', 'beyond', 'off']);
    process.signal('SIGTERM');
    await process.ended;
    const gone = await probing<MirrorProbe>(lab, 'phone', ['--mirror', ADDRESS.provider]);
    assert.equal([gone.status, gone.probe.verdict], [2, 'inconclusive']);
    assert.match(gone.probe.reasons[0]!, 'Nobody answered as a mirror');
  }),
);

mirrors('shows nothing where there is no ALG', () =>
  inLab({ ruleset: 'stock-alg-absent' }, async (lab) => {
    await mirror(lab);
    const { status, probe } = await probing<MirrorProbe>(lab, 'phone', ['--mirror', ADDRESS.provider]);
    assert.equal([status, probe.verdict, probe.tried.filter(({ fate }) => fate !== 'unchanged')], [0, 'unchanged', []]);
  }),
);

mirrors.run();
