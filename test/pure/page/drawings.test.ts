/** Drawings as data: what stands where, in units of a phone's width, and that nothing is drawn of nothing. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PhoneState, Span } from '../../../src/object/history.ts';
import type { Ladder } from '../../../src/object/watched.ts';
import { barsOf, linesOf } from '../../../src/page/drawings/day.ts';
import { ladderOf } from '../../../src/page/drawings/ladder.ts';
import { MOST_ROWS, networksOf, phonesOf, sourcesOf } from '../../../src/page/drawings/rows.ts';
import type { Child, Tree } from '../../../src/page/tree.ts';

const HOUR = 3_600_000;
const NOW = 100 * HOUR;
const DAY = ['a day ago', 'half a day', 'now'] as const;

/** A drawing in lines: what each part is and where it stands. */
function partsOf(tree: Tree | null): string[] {
  const line = (child: Child): string[] => {
    if (typeof child === 'string') return [];
    const { tag, attributes, style, children } = child;
    const numbers = ['x', 'y', 'width', 'height'].flatMap((name) => attributes[name] ?? []).join(' ');
    const colour = /--(\w+)-/.exec(`${style['fill']} ${style['stroke']}`)?.[1] ?? '';
    const text = children.filter((one) => typeof one === 'string').join('');
    const title = children.flatMap((one) => (typeof one !== 'string' && one.tag === 'title' ? [`<${one.children.join('')}>`] : []));
    const more = [
      attributes['stroke-dasharray'] ? `dashed ${String(attributes['stroke-dasharray'])}` : '',
      attributes['text-anchor'] ?? '',
    ];
    return [[tag, numbers, attributes['d'] ?? '', text, ...more, colour, ...title].filter((part) => part !== '').join(' ')];
  };
  return tree === null ? [] : tree.children.flatMap(line);
}

const span = (from: number, to: number, some: Partial<Span>): Span => ({
  from: NOW + from * HOUR,
  to: NOW + to * HOUR,
  register: 0,
  invite: 0,
  options: 0,
  other: 0,
  tcp: 0,
  media: 0,
  signalling: 0,
  ...some,
});

const day = suite('a drawing of the day');
const words = { label: 'Attempts', axis: DAY, title: (_: Span, count: number) => `${count} came` };
const ROWS = [
  { of: 'register', text: 'REGISTER: 30' },
  { of: 'invite', text: 'INVITE: 0' },
  { of: 'options', text: 'OPTIONS: 5' },
] as const;

day('has a row for each method that came, and bars as wide as the time and as high as the pace, on one scale', () => {
  const spans = [span(-24, -12, { register: 12 }), span(-12, -11, { register: 2, options: 1 }), span(-6, -5, {})];
  const tree = barsOf(spans, ROWS, NOW, words);
  assert.equal([tree?.attributes['viewBox'], tree?.attributes['role'], tree?.attributes['aria-label']], ['0 0 340 110', 'img', 'Attempts']);
  assert.equal(partsOf(tree), [
    'text 0 10 REGISTER: 30',
    'rect 0 27 169.5 13 <12 came>',
    'rect 170 14 13.67 26 <2 came>',
    'path M0 40H340',
    'text 0 56 OPTIONS: 5',
    'rect 170 73 13.67 13 <1 came>',
    'path M0 86H340',
    'path M0 92H340M0 92v3M170 92v3M340 92v3',
    'text 0 106 a day ago',
    'text 170 106 half a day middle',
    'text 340 106 now end',
  ]);
});

day('is not there where nothing came, or nobody looked', () => {
  assert.is(barsOf([], ROWS, NOW, words), null);
  assert.is(barsOf([span(-1, 0, { media: 9 })], ROWS, NOW, words), null);
  assert.is(linesOf([span(-1, 0, { invite: 9 })], [{ of: 'media', text: 'Audio' }], NOW, words), null);
});

day('shows what is marked as lines that are told apart by dashes, and a gap where nobody looked', () => {
  const spans = [
    span(-24, -18, { media: 600, signalling: 60 }),
    span(-18, -12, { media: 1200 }),
    span(-6, 0, { media: 300, signalling: 30 }),
  ];
  const tree = linesOf(
    spans,
    [
      { of: 'media', text: 'Audio: 2100' },
      { of: 'signalling', text: 'Signalling: 90' },
    ],
    NOW,
    words,
  );
  assert.equal(partsOf(tree).slice(0, 6), [
    'path M0 7h18',
    'text 24 10 Audio: 2100',
    'path M0 62H85L85 32H170M255 77H340',
    'path M0 21h18 dashed 4 3',
    'text 24 24 Signalling: 90',
    'path M0 89H85L85 92H170M255 90.5H340 dashed 4 3',
  ]);
});

day('is the same tree for the same data, so that nothing on the page moves', () => {
  const make = (): Tree | null => barsOf([span(-2, -1, { register: 3 })], ROWS, NOW, words);
  assert.equal(JSON.stringify(make()), JSON.stringify(make()));
});

const sources = suite('a drawing of the sources');

sources('puts them together by network, the one that was there last first', () => {
  const attempt = (source: string, seen: number, first: number | null, last: number | null) => ({ source, seen, first, last });
  assert.equal(
    networksOf([
      attempt('203.0.113.7', 5, 10, 20),
      attempt('203.0.113.99', 1, 5, 12),
      attempt('203.0.113.7', 2, null, null),
      attempt('2001:db8:1:2::5', 3, 30, 40),
      attempt('2001:db8:1:ffff::5', 3, 31, 41),
      attempt('::1', 1, null, null),
    ]),
    [
      { network: '2001:db8:1::/48', sources: 2, seen: 6, first: 30, last: 41 },
      { network: '203.0.113.0/24', sources: 2, seen: 8, first: 5, last: 20 },
      { network: '0:0:0::/48', sources: 1, seen: 1, first: null, last: null },
    ],
  );
});

sources('says from when to when each was there, cut off where the day begins', () => {
  const texts = { label: 'Sources', axis: DAY, row: ({ network, seen }: { network: string; seen: number }) => `${network}: ${seen}` };
  const networks = [
    { network: '203.0.113.0/24', sources: 1, seen: 9, first: NOW - 12 * HOUR, last: NOW },
    { network: '192.0.2.0/24', sources: 1, seen: 3, first: NOW - 90 * HOUR, last: NOW - 18 * HOUR },
    { network: '198.51.100.0/24', sources: 1, seen: 1, first: null, last: null },
  ];
  assert.equal(partsOf(sourcesOf(networks, NOW, texts)).slice(0, 9), [
    'text 0 10 203.0.113.0/24: 9',
    'path M0 21H340',
    'rect 169 19 168 4',
    'rect 333 17 6 8',
    'text 0 42 192.0.2.0/24: 3',
    'path M0 53H340',
    'rect 3 51 85 4',
    'rect 84 49 6 8',
    'text 0 74 198.51.100.0/24: 1',
  ]);
  assert.is(sourcesOf([], NOW, texts), null);
  const many = Array.from({ length: 500 }, () => networks[2]!);
  assert.is(partsOf(sourcesOf(many, NOW, texts)).filter((part) => part.includes('198.51')).length, MOST_ROWS);
});

const phone = (some: Partial<PhoneState>): PhoneState => ({
  phone: '192.168.1.20:5060',
  far: '203.0.113.10:5060',
  protocol: 'udp',
  left: 45,
  life: 180,
  every: null,
  ...some,
});
const phoneWords = { label: 'Phones', name: (one: PhoneState) => one.phone, left: ({ left }: PhoneState) => `${left} s` };

const phones = suite('a drawing of the phones');

phones('has what is left of what a packet gives, and a stroke where the registration is renewed', () => {
  assert.equal(partsOf(phonesOf([phone({}), phone({ every: 90 })], phoneWords)), [
    'text 0 10 192.168.1.20:5060',
    'rect 0 16 340 8',
    'rect 0 16 85 8',
    'text 0 35 45 s',
    'text 0 54 192.168.1.20:5060',
    'rect 0 60 340 8',
    'rect 0 60 85 8',
    'path M170 57v14',
    'text 0 79 45 s',
  ]);
});

phones('marks one whose registration comes too late by a sign as well as by a colour', () => {
  assert.equal(partsOf(phonesOf([phone({ every: 360 })], phoneWords)), [
    'text 0 10 192.168.1.20:5060',
    'rect 0 16 170 8',
    'rect 0 16 42.5 8 error',
    'path M339 13v14 error',
    'text 0 35 ! 45 s error',
  ]);
});

phones('leaves out one of which the kernel tells nothing', () => {
  assert.is(phonesOf([phone({ left: null })], phoneWords), null);
  assert.is(phonesOf([], phoneWords), null);
});

const ladder = suite('a ladder');
const CALL: Ladder = {
  call: 1,
  phone: '192.168.1.20:5060',
  far: '203.0.113.10:5060',
  rungs: [
    { at: 1000, what: 'INVITE', fromPhone: true, sdp: true, again: 0, fate: 'changed' },
    { at: 1250, what: '180 Ringing', fromPhone: false, sdp: false, again: 0, fate: 'passed' },
    { at: 3000, what: 'BYE', fromPhone: false, sdp: false, again: 2, fate: 'dropped' },
    { at: 4000, what: 'OPTIONS', fromPhone: true, sdp: false, again: 0, fate: 'unknown' },
  ],
  omitted: 3,
};
const callWords = {
  label: 'Call 1',
  phone: 'Phone',
  router: 'Router',
  far: 'Provider',
  said: ({ fate, again }: Ladder['rungs'][number]) => (fate === 'changed' ? 'changed' : again > 0 ? `again ${again}` : ''),
  omitted: '3 more',
};

ladder('has a rung for each message: through, changed from the router on, no further, and not known beyond', () => {
  assert.equal(partsOf(ladderOf(CALL, callWords)), [
    'text 32 11 Phone',
    'text 180 11 Router middle',
    'text 340 11 Provider end',
    'text 32 25 192.168.1.20:5060',
    'text 340 25 203.0.113.10:5060 end',
    'path M52 36V146M180 36V146M308 36V146',
    'text 0 62 0.0',
    'text 180 54 INVITE (SDP): changed middle warn',
    'path M52 58H180',
    'path M180 58H308 dashed 5 3 warn',
    'path M308 58l-6 -3M308 58l-6 3 warn',
    'text 0 88 0.3',
    'text 180 80 180 Ringing middle',
    'path M308 84H52M52 84l6 -3M52 84l6 3',
    'text 0 114 2.0',
    'text 180 106 BYE: again 2 middle error',
    'path M308 110H180M176 106l8 8m0 -8l-8 8 error',
    'text 0 140 3.0',
    'text 180 132 OPTIONS middle',
    'path M52 136H180M180 136l-6 -3M180 136l-6 3',
    'text 52 157 3 more',
  ]);
  assert.is(ladderOf({ ...CALL, rungs: [] }, callWords), null);
});

day.run();
sources.run();
phones.run();
ladder.run();
