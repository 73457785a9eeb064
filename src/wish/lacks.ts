/** What a section lacks as a whole, each of its values being good: said by who reads the file, and by a form before it is written. */
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';

export interface Lack {
  /** The option at which it is put right. */
  option: string;
  said: Said;
}

/** What is looked at of a section, by option: what is in force of it. */
interface Values {
  enabled?: unknown;
  [option: string]: unknown;
}

const none = (value: unknown): boolean => !Array.isArray(value) || value.length === 0;

/** @param section as uci names it: `sipalg.example` */
export function lacksOf(type: string, section: string, values: Values): Lack[] {
  const lacks: Lack[] = [];
  if (values.enabled === false) return lacks;
  if (type === 'provider' && values['inbound'] === true && none(values['pbx']))
    lacks.push({
      option: 'inbound',
      said: say(
        'problem-inbound',
        '{section}: inbound: calls of this provider may come in, but no `option pbx` says to which address. Nothing is opened.',
        { section },
      ),
    });
  if (type === 'provider' && none(values['host']) && none(values['signalling']) && none(values['media']))
    lacks.push({
      option: 'host',
      said: say(
        'problem-provider',
        '{section}: host: no name and no network of this provider is known, so it stands for nobody. Give it a `list host` or a '
          + '`list signalling`.',
        { section },
      ),
    });
  if (type === 'site' && none(values['network']))
    lacks.push({
      option: 'network',
      said: say('problem-site', '{section}: network: none of this site is known, so it stands for nobody. Give it a `list network`.', {
        section,
      }),
    });
  return lacks;
}
