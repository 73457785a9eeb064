/** A call as a ladder: who sent what to whom, and what became of it in the router. */
import type { Ladder } from '../../object/watched.ts';
import type { Tree } from '../tree.ts';
import { drawing, LINE, path, short, WIDE, words } from './parts.ts';
import type { Colour } from './parts.ts';

export type Rung = Ladder['rungs'][number];

export interface LadderWords {
  /** All of it, for who cannot see it. */
  label: string;
  phone: string;
  router: string;
  far: string;
  /** What is said of a rung beside its name: changed, dropped, sent again. '' for nothing. */
  said(rung: Rung): string;
  omitted: string;
}

/** Where the three stand. */
const X = { time: 0, phone: 52, router: 180, far: 308 };
const TOP = 2 * LINE + 8;
const STEP = 26;

/** @param y of the line; @param to where the point is */
const point = (to: number, y: number, sign: number): string => `M${to} ${y}l${-6 * sign} -3M${to} ${y}l${-6 * sign} 3`;

/** A rung: through the router, changed from there on (dashed), or no further (a cross). */
function rungParts(rung: Rung, y: number, { said }: LadderWords): Tree[] {
  const { what, fromPhone, sdp, fate } = rung;
  const [from, to, sign] = fromPhone ? [X.phone, X.far, 1] : [X.far, X.phone, -1];
  const colour: Colour | undefined = fate === 'changed' ? 'mild' : fate === 'dropped' ? 'bad' : undefined;
  const more = said(rung);
  const text = `${what}${sdp ? ' (SDP)' : ''}${more === '' ? '' : `: ${more}`}`;
  const name = words((X.phone + X.far) / 2, y - 4, short(text, 250), 'middle', colour);
  if (fate === 'dropped') {
    const cross = `M${X.router - 4} ${y - 4}l8 8m0 -8l-8 8`;
    return [name, path(`M${from} ${y}H${X.router}${cross}`, 1, null, colour)];
  }
  if (fate === 'changed')
    return [
      name,
      path(`M${from} ${y}H${X.router}`),
      path(`M${X.router} ${y}H${to}`, 1, '5 3', colour),
      path(point(to, y, sign), 1, null, colour),
    ];
  // Seen at the phone's side alone: what the far end got is not known.
  if (fate === 'unknown') {
    const [begin, end] = fromPhone ? [X.phone, X.router] : [X.router, X.phone];
    return [name, path(`M${begin} ${y}H${end}${point(end, y, sign)}`)];
  }
  return [name, path(`M${from} ${y}H${to}${point(to, y, sign)}`)];
}

/** @returns null where nothing of the call was recorded */
export function ladderOf({ rungs, phone, far, omitted }: Ladder, texts: LadderWords): Tree | null {
  const [first] = rungs;
  if (first === undefined) return null;
  const height = TOP + 6 + rungs.length * STEP;
  const seconds = (at: number): string => ((at - first.at) / 1000).toFixed(1);
  return drawing(
    texts.label,
    height + (omitted > 0 ? LINE : 0),
    words(X.phone - 20, 11, texts.phone),
    words(X.router, 11, texts.router, 'middle'),
    words(WIDE, 11, texts.far, 'end'),
    words(X.phone - 20, 11 + LINE, short(phone, 150)),
    words(WIDE, 11 + LINE, short(far, 150), 'end'),
    path(`M${X.phone} ${TOP}V${height}M${X.router} ${TOP}V${height}M${X.far} ${TOP}V${height}`, 0.3),
    ...rungs.flatMap((rung, at) => {
      const y = TOP + (at + 1) * STEP - 4;
      return [words(X.time, y + 4, seconds(rung.at)), ...rungParts(rung, y, texts)];
    }),
    ...(omitted > 0 ? [words(X.phone, height + LINE - 3, texts.omitted)] : []),
  );
}
