/**
 * Where the daemon's log goes. In a terminal, or to whatever reads standard error: all of it there. Under procd, which takes
 * standard output for LOG_INFO and standard error for LOG_ERR and reads no `<N>` in a line (service/instance.c,
 * instance_stdio): by these two, and a warning by logger(1).
 */
import { spawn } from 'node:child_process';
import type { Level, SayLine } from '../../host/log.ts';

/** What /etc/init.d/sipalg-daemon sets. */
const UNDER_PROCD = process.env['SIPALG_LOG'] === 'procd';

/** What a message brings along does not break a line. */
const plain = (line: string): string => line.replace(/[\u0000-\u001f\u007f]+/g, ' ');

function warn(text: string): void {
  const said = (): void => void process.stderr.write(`${text}\n`);
  const child = spawn('logger', ['-t', `sipalg[${process.pid}]`, '-p', 'daemon.warning', '--', text], { stdio: 'ignore' });
  child.on('error', said);
  child.on('exit', (code) => {
    if (code !== 0) said();
  });
}

export const say: SayLine = (line, level: Level = 'info') => {
  const text = plain(line);
  if (!UNDER_PROCD) {
    const word = level === 'info' ? '' : `${level}: `;
    process.stderr.write(`${text.startsWith('[#] ') ? '' : `sipalg: ${word}`}${text}\n`);
  } else if (level === 'warning') warn(text);
  else process[level === 'error' ? 'stderr' : 'stdout'].write(`${text}\n`);
};

/** Somebody sits there: nobody else reads what is written, and nothing keeps it. */
export const onTerminal = (): boolean => !UNDER_PROCD && process.stderr.isTTY === true;
