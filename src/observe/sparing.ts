/** Asks nft for the rules that can matter, where others are many; which those are, and why, is in spared.ts, loaded on need. */
import type { Host, Outcome } from '../host/host.ts';
import { splitText } from '../host/parts.ts';

/** There as soon as the helper is: loaded, or built in, for it has parameters. */
const HELPER = '/sys/module/nf_conntrack_sip';

/** A host that lists rules in this way, where who asks has said which tables it needs in any case (`RunOptions.tables`). */
export function sparing(host: Host): Host {
  return {
    ...host,
    async run(argv, options = {}): Promise<Outcome> {
      const { tables, parts } = options;
      if (tables === undefined || parts === undefined || (await host.kind(HELPER)).state !== 'absent') return host.run(argv, options);
      const text = await (await import('./spared.ts')).listSome(host, argv, tables, options);
      if (text === null) return host.run(argv, options);
      splitText(text, parts);
      return { state: 'exited', command: argv.join(' '), code: 0, stdout: '', stderr: '' };
    },
  };
}
