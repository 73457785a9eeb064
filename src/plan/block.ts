/** Keeps both modules from being loaded: /etc/modules.conf, on releases whose kmodloader reads it. */
import { canBlock, isBlocked } from '../judge/questions.ts';
import { addBlacklist, parseModulesConf, removeMarked } from '../languages/kernel/autoload.ts';
import { MODULES_CONF } from '../observe/boot.ts';
import type { Facts } from '../observe/facts.ts';
import { REWRITER, TRACKER } from '../observe/modules.ts';
import { fileStep, joinParts, NOTHING, one, putFile, refuse } from './files.ts';
import type { Part } from './files.ts';
import { editLine, word } from '../languages/shell/command.ts';
import { RANK } from './step.ts';
import { say } from '../words/say.ts';

export const MARK = 'sipalg: keeps the SIP ALG out; `sipalg enable` takes this away';

/** Both names: a module that another one depends on is loaded even when it is blacklisted. */
export function planBlock(facts: Facts): Part {
  const { blacklist } = facts.boot;
  if (!canBlock(facts) || isBlocked(facts)) return NOTHING;
  if (blacklist.state === 'failed')
    return refuse([
      say('refused-block-unread', '{file} could not be read, so nothing is added to it: {because}.', {
        file: MODULES_CONF,
        because: blacklist.because,
      }),
    ]);
  const before = blacklist.state === 'present' ? blacklist.value.text : null;
  const dangerous = blacklist.state === 'present' ? blacklist.value.dangerous : [];
  if (dangerous.length > 0) {
    return refuse(
      dangerous.map(({ line, text, because }) =>
        say(
          'refused-dangerous-line',
          '{file}, line {line}, may keep the module loader from loading anything at boot: "{given}" ({because}). '
            + 'Mend or remove that line first.',
          { file: MODULES_CONF, line, given: text, because },
        ),
      ),
    );
  }
  const after = addBlacklist(parseModulesConf(before ?? ''), [TRACKER, REWRITER], MARK);
  const added = after
    .slice((before ?? '').length)
    .split('\n')
    .filter((text) => text !== '');
  return fileStep({
    rank: RANK.durable,
    why: 'autoload',
    said: say('step-block', 'Keep both SIP modules from being loaded at boot or by a package.'),
    path: MODULES_CONF,
    before,
    after,
    commands: [
      ...(before !== null && before !== '' && !before.endsWith('\n') ? [`echo >> ${MODULES_CONF}`] : []),
      `printf '%s\\n' ${added.map(word).join(' ')} >> ${MODULES_CONF}`,
    ],
  });
}

/** Somebody has come to need the helper since it was blocked: with the block in place the firewall would not load at all. */
export function planUnblock({ boot: { blacklist }, nft, system }: Facts): Part {
  if (blacklist.state !== 'present') return NOTHING;
  const before = blacklist.value.text;
  const after = removeMarked(parseModulesConf(before), [TRACKER, REWRITER], MARK);
  if (after === before) return NOTHING;
  const why = 'include-needs-helper';
  const step = one({
    rank: RANK.durable,
    why,
    ...say('step-unblock', 'Let the SIP modules be loaded again, without which the firewall would not load.'),
    actions: [putFile(MODULES_CONF, after)],
    undo: [putFile(MODULES_CONF, before)],
    commands: [editLine(MODULES_CONF, before, after)],
  });
  // As at boot: fw4 declares its own object of the helper only where the module is there.
  const load = one({
    rank: RANK.load,
    why,
    ...say('step-load-them', 'Load them, for the firewall to find them.'),
    actions: [{ do: 'run', argv: ['kmodloader'] }],
    undo: [],
    commands: ['kmodloader'],
  });
  const down =
    nft.state === 'present'
    && !nft.value.tables.includes('inet fw4')
    && system.firewall.state === 'present'
    && system.firewall.value === 'fw4';
  return joinParts([
    step,
    load,
    !down
      ? NOTHING
      : one({
          rank: RANK.reload,
          why,
          ...say('step-firewall-loads', 'Let the firewall load, which it could not.'),
          actions: [{ do: 'run', argv: ['fw4', 'reload'] }],
          undo: [],
          commands: ['fw4 reload'],
          unlocked: true,
        }),
  ]);
}
