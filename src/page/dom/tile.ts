/** One line on LuCI's page Status -> Overview: how it stands, and the way to the page. Its loader hands in its classes. */
import type { Reply } from '../../object/object.ts';

declare const baseclass: { extend(members: object): unknown };
declare const rpc: {
  declare(call: { object: string; method: string; expect: object; reject: true; nobatch: true }): () => Promise<unknown>;
};
declare const L: { url(...path: string[]): string };
declare const _: (text: string) => string;

/** Milliseconds that the overview waits for us: it draws none of its parts before all of them have answered. */
const PATIENCE = 1000;

let last: unknown = null;
let asking: Promise<void> | null = null;
/** It has been drawn once; the overview leaves a part as it is that then draws nothing. */
let shown = false;

function ask(): Promise<void> {
  // Not in one request with the questions of other parts, which would have to wait for the answer.
  const answering = rpc.declare({ object: 'sipalg', method: 'status', expect: {}, reject: true, nobatch: true })();
  return answering
    .catch(() => null)
    .then((reply) => {
      last = reply;
      asking = null;
    });
}

export default baseclass.extend({
  title: _('SIP ALG'),

  /** Called again and again by the overview; where nobody sees it the router is not asked. What comes late is shown the next time. */
  load(): Promise<unknown> {
    if (!document.hidden && asking === null) asking = ask();
    const late = new Promise<void>((resolve) => setTimeout(resolve, PATIENCE));
    return Promise.race([asking, late]).then(() => last);
  },

  /** Nothing where nothing answers, and so the overview shows no such part. */
  render(reply: Partial<Reply> | number | null): HTMLElement | null {
    const verdict = typeof reply === 'object' ? reply?.verdict : null;
    if (!verdict && !shown) return null;
    shown = true;
    const { alg, returns } = verdict || { alg: 'unknown', returns: [] };
    const link = document.createElement('a');
    link.href = L.url('admin/services/sipalg');
    link.textContent =
      alg === 'unknown' ? _('Unknown') : alg !== 'off' ? _('On') : returns.length > 0 ? _('Off, but not for good') : _('Off');
    return link;
  },
});
