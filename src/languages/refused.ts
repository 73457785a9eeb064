/**
 * What the languages (kernel/, nft/, iptables/, uci/) share: the way one says
 * that a text is not what it should be. A language parses or refuses; it never
 * throws anything else, and it never guesses.
 */

/** A text that is not in the language it was read as. */
export class Refused extends Error {
  /** The offending line, counted from 1; 0 where a line means nothing. */
  readonly line: number;

  /**
   * @param message a sentence that quotes what was found and says what is allowed
   * @param line    the offending line, counted from 1
   */
  constructor(message: string, line = 0) {
    super(message);
    this.name = 'Refused';
    this.line = line;
  }
}

/** `text` between double quotes, cut so that a hostile one cannot flood a message. */
export function quote(text: string, most = 80): string {
  const short = text.length > most ? text.slice(0, most) + '...' : text;
  return JSON.stringify(short);
}
