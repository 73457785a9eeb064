/** Keeps both modules from being loaded: /etc/modules.conf, on releases whose kmodloader reads it. */
import { canBlock, isBlocked } from '../judge/reach.ts';
import { addBlacklist, parseModulesConf } from '../kernel/autoload.ts';
import { MODULES_CONF } from '../observe/boot.ts';
import type { Facts } from '../observe/facts.ts';
import { REWRITER, TRACKER } from '../observe/modules.ts';
import { fileStep, NOTHING, refuse } from './files.ts';
import type { Part } from './files.ts';
import { word } from './shell.ts';
import { RANK } from './step.ts';

export const MARK = 'sipalg: keeps the SIP ALG out; `sipalg enable` takes this away';

/** Both names: a module that another one depends on is loaded even when it is blacklisted. */
export function planBlock(facts: Facts): Part {
  const { blacklist } = facts.boot;
  if (!canBlock(facts) || isBlocked(facts)) return NOTHING;
  if (blacklist.state === 'failed') return refuse([`${MODULES_CONF} could not be read, so nothing is added to it: ${blacklist.because}.`]);
  const before = blacklist.state === 'present' ? blacklist.value.text : null;
  const dangerous = blacklist.state === 'present' ? blacklist.value.dangerous : [];
  if (dangerous.length > 0) {
    return refuse(dangerous.map(({ line, text, because }) =>
      `${MODULES_CONF}, line ${line}, makes kmodloader crash, and then no module at all is loaded at boot: "${text}" (${because}). Mend or remove that line first.`));
  }
  const after = addBlacklist(parseModulesConf(before ?? ''), [TRACKER, REWRITER], MARK);
  const added = after.slice((before ?? '').length).split('\n').filter((text) => text !== '');
  return fileStep({
    rank: RANK.durable, why: 'autoload',
    text: 'Keep both SIP modules from being loaded at boot or by a package.',
    path: MODULES_CONF, before, after,
    commands: [
      ...(before !== null && before !== '' && !before.endsWith('\n') ? [`echo >> ${MODULES_CONF}`] : []),
      `printf '%s\\n' ${added.map(word).join(' ')} >> ${MODULES_CONF}`,
    ],
  });
}
