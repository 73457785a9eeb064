/** The page as a view of LuCI: a form of /etc/config/sipalg in tabs. Its loader hands in its classes; `L` and `_` are its globals. */
import type { MethodName } from '../../object/object.ts';
import { TABS } from '../tabs.ts';
import { wordsIn } from '../words.ts';
import { createDialog } from './dialog.ts';
import { drawHead, drawTab } from './draw.ts';
import { h } from '../tree.ts';
import type { LuciForm, LuciUci } from './luci-classes.ts';
import { makeForm } from './luci-form.ts';
import { match } from './match.ts';
import { Failure, open } from './page.ts';
import type { Mount } from './page.ts';
import type { View } from '../view.ts';

declare const view: { extend(members: object): unknown };
declare const rpc: {
  declare(call: {
    object: string;
    method: string;
    params?: string[];
    expect: object;
    reject: true;
  }): (...args: unknown[]) => Promise<unknown>;
};
declare const poll: { add(task: () => Promise<void>, seconds: number): void };
declare const ui: { showModal(title: string, children: Node[]): HTMLElement; hideModal(): void };
declare const form: LuciForm;
declare const uci: LuciUci;
declare const L: { hasViewPermission?(): boolean | null };
declare const _: (text: string) => string;

/** What LuCI says when a call fails is a sentence around a number: of ubus (1 to 11) or of JSON-RPC (-32700 and above). */
function failure(said: string): Failure {
  const number = Number(/(?:ubus code|error) (-?\d+)\b/.exec(said)?.[1] ?? NaN);
  if (number === 4 || number === -32000) return new Failure('no object', '');
  if (number === 6 || number === -32002) return new Failure('denied', said);
  // 7 is a time-out: what was asked for may be going on.
  if (number === 7 || number === -32003 || Number.isNaN(number)) return new Failure('no answer', said);
  return new Failure('refused', said);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function call(method: MethodName, args: Readonly<Record<string, unknown>>): Promise<unknown> {
  const params = Object.keys(args);
  const answer = await rpc
    .declare({ object: 'sipalg', method, params, expect: {}, reject: true })(...params.map((name) => args[name]))
    .catch((error: unknown) => {
      throw failure(messageOf(error));
    });
  // A LuCI that does not know `reject` resolves with ubus' number.
  if (typeof answer === 'number') throw failure(`ubus code ${answer}`);
  if (typeof answer !== 'object' || answer === null) throw new Failure('refused', JSON.stringify(answer)?.slice(0, 200) ?? '');
  return answer;
}

/** What of the router may be started, as the access group names it; rpcd is told to look at its plugins anew. */
async function start(): Promise<void> {
  for (const [command, verb] of [
    ['/etc/init.d/sipalg', 'start'],
    ['/etc/init.d/rpcd', 'reload'],
  ]) {
    const ran = await rpc
      .declare({ object: 'file', method: 'exec', params: ['command', 'params'], expect: {}, reject: true })(command, [verb])
      .catch((error: unknown) => {
        throw failure(messageOf(error));
      });
    const { code = 0, stderr = '' } = (typeof ran === 'object' ? ran : {}) as { code?: number; stderr?: string };
    if (code !== 0) throw new Failure('refused', stderr === '' ? `${command} ${verb}: ${code}` : stderr);
  }
}

const element = (): HTMLElement => document.createElement('div');

export default view.extend({
  load: (): Promise<string | null> => uci.load('sipalg').then(() => null, messageOf),

  async render(this: Record<string, unknown>, lacking: string | null): Promise<HTMLElement> {
    const words = wordsIn(_);
    const root = element();
    const head = element();
    // Without the form there is the first tab all the same.
    const made = lacking === null ? makeForm({ form, uci }, words) : null;
    if (made === null) for (const name of ['handleSave', 'handleSaveApply', 'handleReset']) this[name] = null;
    root.append(head);
    const mount: Mount = {
      root,
      draw(shown: View, act) {
        const above = drawHead(shown, act);
        if (made === null) return match(head, h('div', {}, above, ...shown.tabs.slice(0, 1).map(({ blocks }) => drawTab(blocks, act))));
        match(head, above);
        for (const { name } of TABS) {
          const blocks = shown.tabs.find((tab) => tab.name === name)?.blocks ?? [];
          match(made.tabs[name], drawTab(blocks, act));
        }
      },
      dialog: (act) =>
        createDialog(
          act,
          (title, contents) => void ui.showModal(title, [contents]),
          () => ui.hideModal(),
        ),
      call,
      start,
      words,
      // Without the method everybody may try; the router decides anyway.
      rights: { read: true, write: L.hasViewPermission?.() !== false },
    };
    const page = open(mount);
    // Panes of tabs are told that they are shown by an event that does not bubble.
    root.addEventListener(
      'cbi-tab-active',
      (event) => {
        const { tab } = (event as CustomEvent<{ tab: View['tab'] }>).detail;
        if (TABS.some(({ name }) => name === tab)) page.act({ do: 'turn to', tab });
      },
      true,
    );
    if (made !== null) root.append(await made.map.render());
    poll.add(page.follow, 1);
    return root;
  },
});
