/** How the last probe of each kind ended, for `sipalg metrics`: files in memory, with nothing of what was sent or to whom. */
import type { Host } from '../host/host.ts';

export const KINDS = ['router', 'phones', 'provider', 'mirror'] as const;
export type ProbeKind = (typeof KINDS)[number];
export const RESULTS = ['unchanged', 'changed', 'inconclusive'] as const;

export interface LastProbe {
  kind: ProbeKind;
  /** Milliseconds since 1970, when it ended. */
  at: number;
  /** changed: rewritten or dropped. */
  result: (typeof RESULTS)[number];
  /** That were sent or seen; and those of them that were rewritten or dropped. */
  messages: number;
  changed: number;
}

const fileOf = (kind: ProbeKind): string => `/var/run/sipalg.probed.${kind}`;

/**
 * Notes how a probe has ended: nothing where somebody else than root has run it. Never throws: a probe that could not be noted is
 * a probe all the same.
 * @param complain is told why it could not be noted, in a sentence
 * @param exit what `sipalg probe` ends with: 0 unchanged, 1 rewritten or dropped, 2 not to be told
 */
export async function noteProbe(
  host: Host,
  complain: (text: string) => void,
  kind: ProbeKind,
  exit: 0 | 1 | 2,
  messages: number,
  changed: number,
): Promise<void> {
  if (host.process().uid !== 0) return;
  const last: LastProbe = { kind, at: host.now(), result: RESULTS[exit], messages, changed };
  await host.write(fileOf(kind), `${JSON.stringify(last)}\n`, 0o644).catch((error: Error) => complain(error.message));
}

const count = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 0;

/** The last probe of each kind, as far as it was noted since the router was started. */
export async function lastProbes(host: Host): Promise<LastProbe[]> {
  const texts = await Promise.all(KINDS.map((kind) => host.read(fileOf(kind))));
  return texts.flatMap((text, index) => {
    if (text.state !== 'present') return [];
    try {
      const { at, result, messages, changed } = JSON.parse(text.value) as Partial<LastProbe>;
      const good = count(at) && count(messages) && count(changed) && RESULTS.some((one) => one === result);
      return good ? [{ kind: KINDS[index] as ProbeKind, at, result: result as LastProbe['result'], messages, changed }] : [];
    } catch {
      return []; // half written by a former version, or not by us
    }
  });
}
