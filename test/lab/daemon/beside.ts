/** What the object answers besides the report: the same in each of its homes. */
import * as assert from 'uvu/assert';
import type { CallsReply, HistoryReply } from '../../../src/object/object.ts';
import type { Lab } from '../lab.ts';
import { ADDRESS } from '../network.ts';
import { eventually } from './resident.ts';

type Call = (method: string, args?: object) => Promise<unknown>;

/** Diagnosis, probe, document, phones and a watch, each of the real router. */
export async function answersBeside(lab: Lab, call: Call): Promise<void> {
  const provider = (await lab.provider.must(['cat', '/sys/class/net/eth0/address'])).trim();
  await lab.router.must(['ip', 'neigh', 'replace', ADDRESS.provider, 'dev', 'wan', 'lladdr', provider]);
  const { watched } = (await call('watch', { seconds: 5 })) as CallsReply;
  assert.equal([watched?.live, watched?.trouble], [true, null]);
  const now = async (): Promise<CallsReply['watched']> => ((await call('calls')) as CallsReply).watched;
  await eventually('a watch that looks', async () => ((await now())?.summary === null ? undefined : true));
  await lab.sendInvite({ from: 'phone', to: 'provider', sourcePort: 5060 });

  type Printed = { diagnosis: { asked: object; found: object[]; ruledOut: object[] } };
  const own = await lab.router.run(['sipalg', 'diagnose', '--json', 'ghost calls']);
  const printed = (JSON.parse(own.stdout) as Printed).diagnosis;
  const { diagnosis } = (await call('diagnose', { symptom: 'ghost calls' })) as Printed;
  for (const part of ['asked', 'found', 'ruledOut'] as const) assert.equal(JSON.parse(JSON.stringify(diagnosis[part])), printed[part]);
  const { words } = (await call('diagnose', { symptom: 'ghost calls', language: 'de' })) as { words: Record<string, string> };
  assert.is(words['sipalg listeners-none'], 'auf dem Router lauscht nichts auf 5060 oder 5061');
  assert.match(((await call('diagnose', { symptom: 'purple' })) as { trouble: string }).trouble, /purple/);

  const { phones, unread } = (await call('history')) as HistoryReply;
  assert.is(unread, null);
  const phone = phones.find((one) => one.phone === `${ADDRESS.phone}:5060`);
  assert.equal([phone?.far, phone?.protocol], [`${ADDRESS.provider}:5060`, 'udp']);
  assert.ok((phone?.left ?? 0) > 0);

  const { html } = (await call('report', { language: 'de' })) as { html: string };
  assert.match(html, /^<!DOCTYPE html>\n<html lang="de">/);
  assert.ok(html.length < 300_000, String(html.length));

  const ended = await eventually('the end of the watch', async () => {
    const one = await now();
    return one?.live === false ? one : undefined;
  });
  assert.is(ended.trouble, null, JSON.stringify(ended));
  const [ladder] = ended.summary?.ladders ?? [];
  assert.is(ladder?.rungs[0]?.what, 'INVITE', JSON.stringify(ended));

  assert.is(((await call('probe')) as { verdict: string }).verdict, 'rewritten here');
}
