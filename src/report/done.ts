/** What was done to the router, and when, as the journal has it. */
import type { Taken } from '../journal/taken.ts';
import type { Report } from '../survey/survey.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import type { Block, Item, Section } from './document.ts';
import { dateOf } from './router.ts';

const item = (line: Said, evidence: string[] = []): Item => ({ tone: 'plain', line, evidence });

/** What an entry says: which things of whose, never the text of a file. */
function itemOf(entry: Taken): Item {
  switch (entry.kind) {
    case 'file': {
      const options = (entry.settings ?? []).map(({ type, name, label, option }) => `${label ?? name ?? type}: ${option}`);
      return item(say('done-file', '{file} was edited.', { file: entry.path }), [...new Set(options)]);
    }
    case 'nft':
      return item(say('done-nft', 'Rules and objects of the SIP helper were taken out of nftables.'), [
        ...entry.rules.map(({ family, table, chain, rule }) => `${family} ${table} ${chain}: ${rule}`),
        ...entry.elements.map(({ family, table, map, elements }) => `${family} ${table} map ${map}: ${elements.join(', ')}`),
        ...entry.helpers.map(({ family, table, name }) => `ct helper ${family} ${table} ${name}`),
      ]);
    case 'iptables':
      return item(
        say('done-iptables', 'Rules of the SIP helper were taken out of iptables ({tool}).', {
          tool: entry.restore.replace(/-restore$/, ''),
        }),
        entry.rules.map(({ table, chain, rule }) => `${table} ${chain}: ${rule}`),
      );
    case 'module':
      return item(
        say('done-module', '{module} was unloaded.', { module: entry.name }),
        Object.entries(entry.parameters).map(([name, value]) => `${name}=${value}`),
      );
    case 'automatic':
      return item(say('done-automatic', 'The kernel does not set helpers by itself any more.'), [
        `net.netfilter.nf_conntrack_helper=${entry.value}`,
      ]);
  }
}

const STATES: Readonly<Record<string, Said>> = {
  taking: say('done-taking', 'A run that takes it away has not come to its end.'),
  taken: say('done-taken', 'It came to its end and was verified by looking again.'),
  'giving back': say('done-giving-back', 'A run that gives it back has not come to its end.'),
};

export function doneSection({ facts, plan }: Report): Section {
  const title = say('report-done', 'What was done, and when');
  const wish = facts.wish.said === false ? null : facts.wish.wish.alg;
  const blocks: Block[] = [
    {
      is: 'text',
      line: wish === null ? say('done-wish-unknown', 'What the configuration asks for could not be told.') : WISHES[wish],
    },
  ];
  const { journal } = facts;
  if (journal.state === 'absent')
    blocks.push({ is: 'text', line: say('done-nothing', 'Nothing has been taken away on this router by sipalg.') });
  if (journal.state === 'failed')
    blocks.push({
      is: 'text',
      line: say('done-unread', 'What was done could not be read: {because}.', { because: journal.because }),
    });
  if (journal.state === 'present') {
    const { since, program, state, taken } = journal.value;
    blocks.push(
      {
        is: 'text',
        line: say('done-since', 'sipalg {version} began at {date} (by the clock of the router).', {
          version: program,
          date: dateOf(since),
        }),
      },
      { is: 'text', line: STATES[state] ?? state },
      { is: 'items', items: taken.map(itemOf) },
    );
  }
  const left = plan.steps.filter(({ of }) => of !== 'policy');
  if (wish !== null && wish !== 'unmanaged' && left.length > 0)
    blocks.push(
      { is: 'text', line: say('done-left', 'What is still to be done to reach what the configuration asks for:') },
      {
        is: 'items',
        items: left.map(({ code, parameters, text, commands }) => ({
          tone: 'risk',
          line: { code, ...(parameters && { parameters }), text },
          evidence: commands,
        })),
      },
    );
  return { name: 'done', title, blocks };
}

const WISHES: Record<Report['facts']['wish']['wish']['alg'], Said> = {
  unmanaged: say('done-unmanaged', 'The configuration says "unmanaged": sipalg looks, and changes nothing by itself.'),
  disabled: say('done-disabled', 'The configuration says "disabled": the SIP ALG is to be off, and to stay off.'),
  enabled: say('done-enabled', 'The configuration says "enabled": what was there before is to be given back.'),
};
