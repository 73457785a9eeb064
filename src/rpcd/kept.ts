/** The answer of `fw4 check` between two calls of the plugin: a file in memory (/var/run), which a boot takes away. */
import type { Host } from '../host/host.ts';
import type { CheckStore, KeptCheck } from '../survey/kept-check.ts';
import { among, fields, flag, maybe, moment, text } from '../survey/shape.ts';

const KEPT = '/var/run/sipalg.run.check';
/** It says what is wrong with somebody's firewall. */
const PRIVATE = 0o600;

const SHAPE = fields<KeptCheck>({
  of: text,
  at: moment,
  check: fields<KeptCheck['check']>({
    state: among(['present'] as const),
    source: text,
    value: fields<KeptCheck['check']['value']>({ loads: flag, because: text, asked: maybe(moment) }),
  }),
});

/** A file that cannot be read or written costs a call of fw4, and no more. */
export const keptInFile = (host: Host): CheckStore => ({
  async read() {
    const file = await host.read(KEPT);
    if (file.state !== 'present') return null;
    try {
      const kept = JSON.parse(file.value) as KeptCheck;
      return SHAPE(kept, '') === null ? kept : null;
    } catch {
      return null;
    }
  },
  async write(kept) {
    if (host.process().uid !== 0) return;
    try {
      await host.write(KEPT, JSON.stringify(kept), PRIVATE);
    } catch {
      // Asked again next time.
    }
  },
});
