/**
 * The way back: what the journal holds and the router lacks. Files are given back
 * byte for byte, or, where their owner has edited them since, by undoing our
 * lines alone; rules go beside the neighbours they had.
 */
import type { Journal } from '../journal/journal.ts';
import { mergeIptables, mergeNft } from '../journal/merge.ts';
import type { TakenFile, TakenIptables, TakenModule, TakenNft } from '../journal/taken.ts';
import { inKernel, moduleIn } from '../judge/questions.ts';
import { parseModulesConf, removeMarked } from '../languages/kernel/autoload.ts';
import { parseSysctl, setSysctl } from '../languages/kernel/sysctl.ts';
import { AUTOMATIC_KEY, MODULES_CONF } from '../observe/boot.ts';
import type { Facts } from '../observe/facts.ts';
import { FIREWALL_CONFIG } from '../observe/firewall.ts';
import { REWRITER, TRACKER } from '../observe/modules.ts';
import { chainKey } from '../observe/nft.ts';
import { AUTOMATIC } from '../observe/observe.ts';
import { MARK } from './block.ts';
import { joinParts, NOTHING, one, putFile, refuse } from './files.ts';
import type { Part } from './files.ts';
import { giveBackIptables, lacksChain } from './give-back-iptables.ts';
import { giveBackNft, isForsaken } from './give-back-nft.ts';
import { loadArguments } from './kernel.ts';
import { undoSettings } from './options.ts';
import { editLine, line, word } from '../languages/shell/command.ts';
import { RANK } from './step.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';

/** What a file holds now; undefined when that is not known. */
function textNow(facts: Facts, path: string): string | null | undefined {
  const reading = path === MODULES_CONF ? facts.boot.blacklist : path === FIREWALL_CONFIG ? facts.firewall.uci : facts.edited[path];
  if (reading === undefined || reading.state === 'failed') return undefined;
  if (reading.state === 'absent') return null;
  return typeof reading.value === 'string' ? reading.value : reading.value.text;
}

/**
 * One edit undone in a text that is no longer the one we left, by what the edit
 * means, so that everything its owner has written since stays: a program may have
 * written the whole file anew (`uci commit`, LuCI's Save).
 */
function givenBack({ path, before, settings }: TakenFile, text: string): { text: string | null } | { conflict: Said[] } {
  if (settings !== undefined) return undoSettings(text, settings);
  if (path === MODULES_CONF) {
    const without = removeMarked(parseModulesConf(text), [TRACKER, REWRITER], MARK);
    // No file of ours, and no newline of ours at its end, outlives our lines.
    return { text: without === (before ?? '') || (before !== null && without === `${before}\n`) ? before : without };
  }
  const value = parseSysctl(before ?? '').find(({ key }) => key === AUTOMATIC_KEY)?.value;
  return { text: value === undefined ? text : setSysctl(text, AUTOMATIC_KEY, value) };
}

/** All entries of one file, the last change undone first. */
function giveBackFile(facts: Facts, path: string, entries: readonly TakenFile[]): Part {
  const now = textNow(facts, path);
  if (now === undefined)
    return refuse([
      say(
        'refused-file-unread',
        '{file} could not be read, so nothing can be given back to it. Mend the file, then run `sipalg enable` again.',
        { file: path },
      ),
    ]);
  let text = now;
  for (const entry of [...entries].reverse()) {
    if (text === null) break; // its owner has removed it, and our lines with it
    if (text === entry.after) {
      text = entry.before;
      continue;
    }
    const reverted = givenBack(entry, text);
    if ('conflict' in reverted) {
      return {
        ...NOTHING,
        refused: reverted.conflict.map((conflict) =>
          say('refused-edited', '{file} has been edited since: {conflict} Give these lines back by hand, then run `sipalg enable` again.', {
            file: path,
            conflict,
          }),
        ),
      };
    }
    text = reverted.text;
  }
  if (text === now) return NOTHING;
  return one({
    rank: RANK.durable,
    why: 'journal',
    ...say('step-back-file', 'Give {file} back as it was.', { file: path }),
    actions: [putFile(path, text)],
    undo: [putFile(path, now)],
    commands: [text === null ? `rm ${path}` : editLine(path, now ?? '', text)],
  });
}

/** Parameters the kernel lets one set while the module is loaded (nf_conntrack_sip.c, mode 0600). */
const SETTABLE = ['sip_timeout', 'sip_direct_signalling', 'sip_direct_media', 'sip_external_media'];

function giveBackModule(facts: Facts, { name, parameters }: TakenModule): Part {
  const which = name === TRACKER ? 'tracker' : 'rewriter';
  const module = moduleIn(facts, which);
  if (module === null)
    return refuse([
      say('refused-module-unread', 'Whether {module} is in the kernel could not be read, so it is not loaded.', { module: name }),
    ]);
  if (inKernel(facts, which) === true) {
    const pokes = Object.entries(parameters).filter(
      ([key, value]) => SETTABLE.includes(key) && module.parameters[key] !== undefined && module.parameters[key] !== value,
    );
    return joinParts(
      pokes.map(([key, value]) => {
        const path = `/sys/module/${name}/parameters/${key}`;
        return one({
          rank: RANK.load,
          why: 'journal',
          ...say('step-back-parameter', 'Set {parameter} of {module} back to {value}.', { parameter: key, module: name, value }),
          actions: [{ do: 'poke', path, text: value }],
          undo: [{ do: 'poke', path, text: module.parameters[key] as string }],
          commands: [`echo ${word(value)} > ${path}`],
        });
      }),
    );
  }
  if (module.state === 'not there') {
    return {
      ...NOTHING,
      refused: [
        say(
          'refused-module-gone',
          '{module} was loaded before, but its file is not on this router any more. Install its package (kmod-nf-nathelper-extra, '
            + 'or kmod-nf-nathelper-sip from OpenWrt 25.12.5 on), then run `sipalg enable` again.',
          { module: name },
        ),
      ],
    };
  }
  const argv = loadArguments(name, parameters, module.file);
  return one({
    rank: RANK.load,
    why: 'journal',
    ...say('step-back-module', 'Load {module}.', { module: name }),
    actions: [{ do: 'run', argv }],
    undo: [{ do: 'run', argv: ['rmmod', name], reached: { path: `/sys/module/${name}`, is: 'absent' } }],
    commands: [line(argv)],
  });
}

const LOAD = {
  rank: RANK.reload,
  why: 'journal',
  ...say('step-back-chain', "Let the firewall bring back the chain that held the helper's rules."),
  undo: [],
  unlocked: true,
} as const;

/** The same on fw3, which drops the chain of a zone that has no helper. A firewall that its owner has stopped stays so. */
function reloadFw3({ iptables, system }: Facts, taken: readonly TakenIptables[]): Part {
  if (system.firewall.state !== 'present' || system.firewall.value !== 'fw3') return NOTHING;
  const lacking = taken.some((entry) =>
    iptables.some((reading) => reading.state === 'present' && reading.value.save === entry.save && lacksChain(reading.value, entry)),
  );
  if (!lacking) return NOTHING;
  return one({ ...LOAD, undo: [], actions: [{ do: 'run', argv: ['fw3', 'reload'] }], commands: ['fw3 reload'] });
}

/** A chain that fw4 makes only while it has a helper to set in it: fw4 itself brings it back. */
function reload(facts: Facts, taken: TakenNft): Part {
  const { nft, system } = facts;
  if (nft.state !== 'present' || system.firewall.state !== 'present' || system.firewall.value !== 'fw4') return NOTHING;
  const lacking = taken.rules.some(
    (rule) =>
      rule.family === 'inet'
      && rule.table === 'fw4'
      && nft.value.tables.includes('inet fw4')
      && (!nft.value.present.includes(chainKey(rule)) || isForsaken(nft.value, rule)),
  );
  if (!lacking) return NOTHING;
  return one({
    ...LOAD,
    undo: [],
    actions: [
      { do: 'check', argv: ['fw4', 'check'] },
      { do: 'run', argv: ['fw4', 'reload'] },
    ],
    commands: ['fw4 reload'],
  });
}

export function planGiveBack(facts: Facts): Part {
  if (facts.journal.state === 'absent') return NOTHING;
  if (facts.journal.state === 'failed') {
    return refuse([
      say(
        'refused-journal',
        'The journal {file} could not be read: {because}. What was taken away is written in it, so nothing can be given back without it.',
        { file: facts.journal.source, because: facts.journal.because },
      ),
    ]);
  }
  const { taken }: Journal = facts.journal.value;
  const files = taken.filter((entry) => entry.kind === 'file');
  const nft = mergeNft(taken.filter((entry) => entry.kind === 'nft'));
  const iptables = mergeIptables(taken.filter((entry) => entry.kind === 'iptables'));
  const modules = taken.filter((entry) => entry.kind === 'module');
  // The rewriter may have been taken by an earlier run than the tracker, and loading it brings the tracker without its parameters.
  const unique = [TRACKER, REWRITER].flatMap((which) => modules.find(({ name }) => name === which) ?? []);
  return joinParts([
    ...[...new Set(files.map(({ path }) => path))].map((path) =>
      giveBackFile(
        facts,
        path,
        files.filter((one) => one.path === path),
      ),
    ),
    ...unique.map((module) => giveBackModule(facts, module)),
    ...taken
      .filter((entry) => entry.kind === 'automatic')
      .map(({ value }) =>
        facts.automatic.state === 'present' && facts.automatic.value !== value
          ? one({
              rank: RANK.automatic,
              why: 'journal',
              ...say('step-back-automatic', 'Let the kernel set helpers by itself, as it did.'),
              actions: [{ do: 'poke', path: AUTOMATIC, text: `${value}\n` }],
              undo: [{ do: 'poke', path: AUTOMATIC, text: `${facts.automatic.value}\n` }],
              commands: [`echo ${value} > ${AUTOMATIC}`],
            })
          : NOTHING,
      ),
    giveBackNft(facts, nft),
    ...iptables.map((entry) => giveBackIptables(facts, entry)),
    reload(facts, nft),
    reloadFw3(facts, iptables),
  ]);
}
