/** Lines of a log, by how much they matter: as syslog's severities 6, 4 and 3 (RFC 5424 section 6.2.1). */

export type Level = 'info' | 'warning' | 'error';

/** From what is only good to know to what somebody must see. */
export const LEVELS: readonly Level[] = ['info', 'warning', 'error'];

/** Says a line of the log; `info` where no level is given. */
export type SayLine = (line: string, level?: Level) => void;

/**
 * @param say   writes a line of the log
 * @param least the least level that is wanted, asked at each line
 */
export function filtered(say: SayLine, least: () => Level): SayLine {
  return (line, level = 'info') => {
    if (LEVELS.indexOf(level) >= LEVELS.indexOf(least())) say(line, level);
  };
}

/** Lines that are gathered and said as one. */
export interface Gathering {
  say: SayLine;
  /** Gathers until what comes back is called: then says one line, `head` and what was gathered, by the highest level there was. */
  begin(): (head: string) => void;
}

/** Lines of one gathering that are said; of those beyond it only how many there were. */
const MOST = 3;

export function createGathering(say: SayLine): Gathering {
  let gathered: { line: string; level: Level }[] | null = null;
  return {
    say(line, level = 'info') {
      if (gathered === null) say(line, level);
      else gathered.push({ line, level });
    },
    begin() {
      const mine = (gathered ??= []);
      return (head) => {
        gathered = null;
        // Who began meanwhile gathers into the same, and each line is said once.
        const lines = mine.splice(0);
        const level = lines.reduce<Level>((one, other) => (LEVELS.indexOf(other.level) > LEVELS.indexOf(one) ? other.level : one), 'info');
        // What matters most comes first.
        lines.sort((one, other) => LEVELS.indexOf(other.level) - LEVELS.indexOf(one.level));
        const more = lines.length > MOST ? [`${lines.length - MOST} more; \`sipalg status\` says all`] : [];
        say([head, ...lines.slice(0, MOST).map(({ line }) => line), ...more].join('; '), level);
      };
    },
  };
}
