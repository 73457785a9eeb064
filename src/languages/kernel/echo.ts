/** What `ping` says, that of busybox and that of iputils alike. */
import { Refused, quote } from '../refused.ts';

export interface Echoes {
  sent: number;
  /** Milliseconds that each answer took, in the order in which they came. */
  times: number[];
  /** Which of those that were sent each of them answers, from 0. Not in documents of 0.1.0 and older. */
  numbers?: number[];
}

/** @throws Refused for a text without the line that counts what was sent */
export function parseEchoes(text: string): Echoes {
  const [, sent = ''] = /^(\d+) packets transmitted, \d+ (?:packets )?received/m.exec(text) ?? [];
  if (sent === '') throw new Refused(`${quote(text)} does not say how many packets were transmitted`, 1);
  const answers = [...text.matchAll(/^\d+ bytes from .*\b(icmp_)?seq=(\d+) .*\btime=(\d+(?:\.\d+)?) ms(.*)$/gm)].filter(
    ([, , , , more]) => !/DUP/.test(more ?? ''),
  );
  // iputils begins with 1, busybox with 0.
  return {
    sent: Number(sent),
    times: answers.map(([, , , time]) => Number(time)),
    numbers: answers.map(([, iputils, number]) => Number(number) - (iputils === undefined ? 0 : 1)),
  };
}
