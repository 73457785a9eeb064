/** What a shaper makes of the marks, and the setting that fits. */
import type { ShaperVerdict } from '../../judge/verdict.ts';
import { word } from '../../languages/shell/command.ts';
import type { Dscp, PolicyWish } from '../../wish/wish.ts';
import type { Shaper } from '../../observe/shapers.ts';
import { coded, say } from '../../words/say.ts';
import type { Said as Sentence } from '../../words/say.ts';

type Said = Pick<ShaperVerdict, 'conflict' | 'says' | 'setting'>;
const FITS: Said = { conflict: null, setting: null };
const conflict = (said: Sentence): Pick<Said, 'conflict' | 'says'> => ({ conflict: said.text, says: coded(said) });

/** cake's first tin under diffserv3, and its two first under diffserv4 (net/sched/sch_cake.c). */
const FIRST3 = [56, 48, 46, 44, 4];
const FIRST4 = [...FIRST3, 40, 32, 34, 36, 38, 26, 28, 30, 24, 18, 20, 22, 16];
/** simple.qos of sqm-scripts: CS6, EF, AF42. */
const SIMPLE = [48, 46, 36];

function sqm({ how: script, options, section }: Extract<Shaper, { kind: 'sqm' }>, media: Dscp, signalling: Dscp): Said {
  const setting = (...set: string[]): string =>
    [...set.map((one) => `uci set ${word(section)}.${one}`), 'uci commit sqm', '/etc/init.d/sqm restart'].join(' && ');
  if (script === 'piece_of_cake.qos' && !/diffserv/.test(options)) {
    return {
      ...conflict(say('shaper-alike', 'SQM treats all traffic alike with this script, whatever the marks say.')),
      setting: setting('script=layer_cake.qos'),
    };
  }
  const served =
    script === 'simple.qos'
      ? SIMPLE
      : /diffserv4/.test(options)
        ? FIRST4
        : script === 'layer_cake.qos' || /diffserv/.test(options)
          ? FIRST3
          : null;
  if (served === null) return { ...conflict(say('shaper-unknown', 'What this script does with marks is not known here.')), setting: null };
  const lost = (
    [
      [say('shaper-audio', 'audio ({mark})', { mark: media.name }), media],
      [say('shaper-signalling', 'signalling ({mark})', { mark: signalling.name }), signalling],
    ] as const
  ).flatMap(([what, { value }]) => (served.includes(value) ? [] : [what]));
  if (lost.length === 0) return FITS;
  return {
    ...conflict(
      say(
        'shaper-sqm',
        'SQM does not put {kinds} before other traffic with this script; on the way in it shapes before the marks are set.',
        { kinds: lost },
      ),
    ),
    setting: served === FIRST3 ? setting('qdisc_advanced=1', 'qdisc_really_really_advanced=1', "eqdisc_opts='diffserv4 nat'") : null,
  };
}

function qosify({ voice }: Extract<Shaper, { kind: 'qosify' }>, providers: PolicyWish['providers']): Said {
  if (voice) return FITS;
  const audio = providers.flatMap(({ inbound }) => inbound?.mediaPorts ?? [])[0] ?? '10000-20000';
  return {
    ...conflict(say('shaper-qosify', 'qosify writes marks of its own over ours: UDP it does not know becomes CS0.')),
    setting: `printf '%s\\n' 'udp:5060 voice' 'udp:${audio} voice' > /etc/qosify/50-sipalg.conf && /etc/init.d/qosify restart`,
  };
}

/** Nothing where nothing is marked: there is nothing to lose then. */
export function judgeShapers(
  shapers: readonly Shaper[],
  { marking, providers }: Pick<PolicyWish, 'marking' | 'providers'>,
): ShaperVerdict[] {
  if (marking === null) return [];
  return shapers.map((shaper) => ({
    kind: shaper.kind,
    device: shaper.device,
    how: shaper.how,
    ...(shaper.kind === 'sqm' ? sqm(shaper, marking.media, marking.signalling) : qosify(shaper, providers)),
  }));
}
