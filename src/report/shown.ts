/** What two captures, or the messages of a probe, have shown. */
import type { Comparison } from '../compare/comparison.ts';
import { say } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';
import type { Block, Section, Tone } from './document.ts';
import type { ProbeDocument } from './probe.ts';

export function comparisonSection(comparison: Comparison): Section {
  const { verdict, lan, wan, counts } = comparison;
  const tone: Tone = verdict === 'unchanged' ? 'fine' : verdict === 'changed' ? 'alarm' : 'risk';
  const blocks: Block[] = [
    { is: 'answer', tone, line: ANSWERS[verdict] },
    {
      is: 'text',
      line: say(
        'compared-counts',
        '{pairs} messages on both sides: {same} unchanged, {changed} changed, {served} changed by a server; {dropped} dropped, '
          + '{delayed} delayed, {doubled} doubled.',
        { ...counts },
      ),
    },
    {
      is: 'table',
      name: say('report-captures', 'The captures'),
      heads: [say('head-capture', 'Capture'), say('head-messages', 'Messages'), say('head-packets', 'Packets'), say('head-bytes', 'Bytes')],
      rows: [lan, ...(wan === null ? [] : [wan])].map(({ name, messages, packets, bytes }) => [
        name,
        String(messages),
        String(packets),
        String(bytes),
      ]),
    },
  ];
  if (comparison.tallies.length > 0) blocks.push(fieldTable(comparison.tallies.map((one) => ({ ...one, count: one.count }))));
  blocks.push({ is: 'ladders', comparison });
  return { name: 'compared', title: say('report-compared', 'Messages on both sides of the router'), blocks };
}

const ANSWERS: Record<Comparison['verdict'], Said> = {
  unchanged: say('compared-unchanged', 'Nothing changes SIP between these two places, and no message was lost.'),
  changed: say('compared-changed', 'Messages of SIP are changed or lost between these two places.'),
  trouble: say('compared-trouble', 'The captures do not show whether SIP is changed between these two places.'),
};

const TO_PROVIDER = say('to-the-provider', 'to the provider');
const TO_PHONE = say('to-the-phone', 'to the phone');

interface Changed {
  field: string;
  part: string;
  toProvider: boolean;
  before: string | null;
  after: string | null;
  count: number;
}

const fieldTable = (changed: readonly Changed[]): Block => ({
  is: 'table',
  name: say('report-fields', 'What was changed'),
  heads: [
    say('head-field', 'Field'),
    say('head-way', 'Way'),
    say('head-before', 'Sent'),
    say('head-after', 'Seen'),
    say('head-messages', 'Messages'),
  ],
  rows: changed
    .map(({ field, part, toProvider, before, after, count }): Line[] => [
      part === '' ? field : `${field} ${part}`,
      toProvider ? TO_PROVIDER : TO_PHONE,
      before ?? say('field-not-there', 'not there'),
      after ?? say('field-taken-out', 'taken out'),
      String(count),
    ]),
});

const PROBED: Readonly<Record<string, [Tone, Said]>> = {
  unchanged: ['fine', say('probed-unchanged', 'Test messages left this router unchanged: no SIP ALG at work here.')],
  'rewritten here': ['alarm', say('probed-rewritten', 'Test messages were rewritten on this router.')],
  'dropped here': ['alarm', say('probed-dropped', 'Test messages were dropped on this router.')],
  inconclusive: ['risk', say('probed-inconclusive', 'The test messages do not show whether SIP is changed on this router.')],
};

const FATES: Readonly<Record<string, Said>> = {
  unchanged: say('fate-unchanged', 'unchanged'),
  rewritten: say('fate-rewritten', 'rewritten'),
  'half rewritten': say('fate-half', 'half rewritten'),
  dropped: say('fate-dropped', 'dropped'),
  'lost by growth': say('fate-growth', 'lost, for it had grown too long'),
  'not tried': say('fate-not-tried', 'not tried'),
};

export function probeSection({ verdict, because, alterations, messages, remarks }: ProbeDocument): Section {
  const [tone, line] = Object.hasOwn(PROBED, verdict) ? (PROBED[verdict] as [Tone, Said]) : (['risk', verdict] as const);
  const blocks: Block[] = [{ is: 'answer', tone, line }];
  if (because !== null) blocks.push({ is: 'text', line: say('sentence-of', '{because}.', { because }) });
  if (alterations.length > 0) blocks.push(fieldTable(alterations.map((one) => ({ ...one, count: one.messages.length }))));
  if (messages.length > 0)
    blocks.push({
      is: 'table',
      name: say('report-sent', 'What was sent'),
      heads: [say('head-message', 'Message'), say('head-way', 'Way'), say('head-fate', 'What became of it')],
      rows: messages
        .map(({ name, toProvider, fate }): Line[] => [
          name,
          toProvider ? TO_PROVIDER : TO_PHONE,
          Object.hasOwn(FATES, fate) ? (FATES[fate] as Said) : fate,
        ]),
    });
  blocks.push(...remarks.map((one): Block => ({ is: 'text', line: one })));
  return { name: 'probe', title: say('report-probe', 'Test messages'), blocks };
}
