/** What a section lacks as a whole, each of its values being good: said by who reads the file, and by a form before it is written. */
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';

export interface Lack {
  /** The option at which it is put right. */
  option: string;
  said: Said;
}

/** What is looked at of a section, by option: what is in force of it. */
export type LookedAt = 'enabled' | 'inbound' | 'pbx' | 'host' | 'signalling' | 'media' | 'network';
export type Values = Readonly<Partial<Record<LookedAt, unknown>>>;

/** @param section as uci names it: `sipalg.example` */
export function lacksOf(type: string, section: string, { enabled, inbound, pbx, host, signalling, media, network }: Values): Lack[] {
  const values = { section };
  const none = (...lists: unknown[]): boolean => enabled !== false && lists.every((list) => (list as unknown[]).length === 0);
  return [
    ...(type === 'provider' && inbound === true && none(pbx)
      ? [
          {
            option: 'inbound',
            said: say(
              'problem-inbound',
              '{section}: inbound: calls of this provider may come in, but no `option pbx` says to which address. Nothing is opened.',
              values,
            ),
          },
        ]
      : []),
    ...(type === 'provider' && none(host, signalling, media)
      ? [
          {
            option: 'host',
            said: say(
              'problem-provider',
              '{section}: host: no name and no network of this provider is known, so it stands for nobody. Give it a `list host` or a '
                + '`list signalling`.',
              values,
            ),
          },
        ]
      : []),
    ...(type === 'site' && none(network)
      ? [
          {
            option: 'network',
            said: say(
              'problem-site',
              '{section}: network: none of this site is known, so it stands for nobody. Give it a `list network`.',
              values,
            ),
          },
        ]
      : []),
  ];
}
