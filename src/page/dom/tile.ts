/** One line on LuCI's page Status -> Overview: how it stands, and the way to the page. Its loader hands in its classes. */
import type { Reply } from '../../object/object.ts';

declare const baseclass: { extend(members: object): unknown };
declare const rpc: { declare(call: { object: string; method: string; expect: object; reject: true }): () => Promise<unknown> };
declare const L: { url(...path: string[]): string };
declare const _: (text: string) => string;

let last: Promise<unknown> = Promise.resolve(null);

export default baseclass.extend({
  title: _('SIP ALG'),

  /** Called again and again by the overview; where nobody sees it the router is not asked. */
  load(): Promise<unknown> {
    if (!document.hidden)
      last = rpc
        .declare({ object: 'sipalg', method: 'status', expect: {}, reject: true })()
        .catch(() => null);
    return last;
  },

  /** Nothing where nothing answers, and so the overview shows no such part. */
  render(reply: Partial<Reply> | number | null): HTMLElement | null {
    const verdict = typeof reply === 'object' ? reply?.verdict : null;
    if (!verdict) return null;
    const { alg, returns } = verdict;
    const link = document.createElement('a');
    link.href = L.url('admin/services/sipalg');
    link.textContent =
      alg === 'unknown' ? _('Unknown') : alg !== 'off' ? _('On') : returns.length > 0 ? _('Off, but not for good') : _('Off');
    return link;
  },
});
