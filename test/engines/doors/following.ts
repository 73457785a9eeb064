/** A command that is followed, and what came of it as one line of JSON: arguments are lines after which it is stopped (0: never), and the command. */
import type { Following } from '../../../src/host/host.ts';

export async function drive(follow: Following['follow'], [most = '0', ...argv]: readonly string[]): Promise<string> {
  const lines: string[] = [];
  const followed = follow(
    argv,
    (line) => {
      lines.push(line);
      if (lines.length === Number(most)) followed.stop();
    },
    50,
  );
  const end = await followed.ended;
  followed.stop(); // what has ended may be stopped all the same
  return `${JSON.stringify({ lines: lines.slice(0, 20), count: lines.length, end })}\n`;
}
