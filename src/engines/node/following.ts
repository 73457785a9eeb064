/** Commands on Node that go on until they are told to end: their lines as they come. */
import { spawn } from 'node:child_process';
import type { Following } from '../../host/host.ts';
import { inWords, isMissing, looked } from '../../host/errno.ts';
import { handed, toolPath } from '../../host/handed.ts';
import { lineSplitter } from '../../host/followed.ts';

/** What is kept of its complaints. */
const MOST_COMPLAINT = 2000;

export const follow: Following['follow'] = (argv, take, every) => {
  const [program = '', ...args] = argv;
  const command = argv.join(' ');
  let stop: () => void = () => undefined;
  const ended = new Promise<Awaited<ReturnType<Following['follow']>['ended']>>((resolve) => {
    let stopped = false;
    try {
      argv.forEach(handed);
    } catch (error) {
      resolve({ state: 'failed', command, because: inWords(error) });
      return;
    }
    // A session of its own: a Ctrl-C that is meant for us stops it when we say so, and not half way through a line.
    const child = spawn(program, args, {
      cwd: '/',
      env: { ...process.env, LC_ALL: 'C', PATH: toolPath(process.env['PATH']) },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const lines = lineSplitter(take);
    let said = '';
    let waiting: NodeJS.Timeout | undefined;
    child.stdout.setEncoding('latin1');
    child.stdout.on('data', (chunk: string) => {
      if (stopped) return;
      lines.push(chunk);
      child.stdout.pause();
      waiting = setTimeout(() => child.stdout.resume(), every);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (said.length < MOST_COMPLAINT) said += chunk.toString('latin1');
    });
    stop = () => {
      stopped = true;
      clearTimeout(waiting);
      if (child.pid !== undefined) looked(command, () => process.kill(-(child.pid as number), 'SIGKILL'));
      child.stdout.destroy();
      child.stderr.destroy();
    };
    child.on('error', (error) =>
      resolve(isMissing(error) ? { state: 'absent', command } : { state: 'failed', command, because: inWords(error) }),
    );
    child.on('close', (code, signal) => {
      clearTimeout(waiting);
      if (stopped) resolve({ state: 'stopped', command });
      else if (code === null) resolve({ state: 'failed', command, because: `it was ended by ${signal}` });
      else resolve({ state: 'exited', command, code, stderr: said });
    });
  });
  return { ended, stop: () => stop() };
};
