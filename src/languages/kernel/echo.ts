/** What `ping` says, that of busybox and that of iputils alike. */
import { Refused, quote } from '../refused.ts';

export interface Echoes {
  sent: number;
  /** Milliseconds that each answer took, in the order in which they came. */
  times: number[];
}

/** @throws Refused for a text without the line that counts what was sent */
export function parseEchoes(text: string): Echoes {
  const [, sent = ''] = /^(\d+) packets transmitted, \d+ (?:packets )?received/m.exec(text) ?? [];
  if (sent === '') throw new Refused(`${quote(text)} does not say how many packets were transmitted`, 1);
  const times = [...text.matchAll(/^\d+ bytes from .*\btime=(\d+(?:\.\d+)?) ms(.*)$/gm)].filter(([, , more]) => !/DUP/.test(more ?? ''));
  return { sent: Number(sent), times: times.map(([, time]) => Number(time)) };
}
