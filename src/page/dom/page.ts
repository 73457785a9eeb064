/** The page alive: looks, asks, draws. A mount gives it a place, a transport and a rhythm. */
import type { MethodName, Reply } from '../../object/object.ts';
import type { Act, Action } from '../action.ts';
import { drawConfirm, RESULT, RUNNING } from './draw-switch.ts';
import { asksOf } from '../diagnosis.ts';
import { viewOf } from '../model.ts';
import { answered, asked, asking, begin, cancelled, confirm, hurried, looked, lost } from '../state.ts';
import { over, planned, toggled, told, typed } from '../state.ts';
import type { Edit } from '../form.ts';
import type { Rights, State, Towards, Trouble } from '../state.ts';
import type { Tree } from '../tree.ts';
import type { View } from '../view.ts';
import type { Words } from '../words.ts';

/** Calls a method of the object. Rejects with a Failure. */
export type Call = (method: MethodName, args: Readonly<Record<string, unknown>>) => Promise<unknown>;

/** How a call of the transport fails. */
export class Failure extends Error {
  readonly trouble: Trouble;
  constructor(kind: Trouble['kind'], said: string) {
    super(said);
    this.trouble = { kind, said };
  }
}

/** A dialog: the one thing on the page while it is open. */
export interface Dialog {
  /** Opens it, or goes on with another title and other contents. */
  show(title: string, tree: Tree): void;
  hide(): void;
  /** Where its contents are. */
  root: HTMLElement;
}

export interface Mount {
  /** What of the page the focus may be in. */
  root: HTMLElement;
  /** Puts it on the screen. */
  draw(view: View, act: Act, state: State): void;
  dialog(act: Act): Dialog;
  call: Call;
  words: Words;
  rights: Rights;
  /** Sessions are the mount's business: what to do when there is none, and how to get or leave one. */
  /** Starts what answers; rejects with a Failure. Not given: it is there where the page is. */
  start?(): Promise<void>;
  /** A form of its own. */
  edit?(page: Page, edit: Edit): void;
  session?: {
    ended(page: Page): void;
    logIn(page: Page, username: string, password: string): void;
    logOut(page: Page): void;
  };
}

export interface Page {
  /** Looks once; resolves when it is drawn. Never rejects. */
  look(): Promise<void>;
  /** To be called every second: looks when it is time. A page that nobody sees rests. Never rejects. */
  follow(): Promise<void>;
  act: Act;
  state(): State;
  change(change: (state: State) => State): void;
  /** Goes on in other words. */
  speak(words: Words): void;
  /** The session is over, or left: what it asked for and still comes is nobody's. */
  end(): void;
}

/** Milliseconds between two looks, and while a run goes on, whose commands are shown as they come. */
const PACE = 5000;
const HURRY = 1000;

function troubleOf(error: unknown): Trouble {
  return error instanceof Failure ? error.trouble : { kind: 'no answer', said: error instanceof Error ? error.message : String(error) };
}

export function open({ root, draw, dialog: makeDialog, call, words: first, rights, start, edit, session }: Mount): Page {
  let words = first;
  let state = begin(rights, session !== undefined);
  let looking: Promise<void> | null = null;
  /** When the last look began, by the page's clock. */
  let began = -PACE;
  /** Grows when a run ends: a look that began before it shows what was. */
  let era = 0;
  /** Grow with each: only the last plan and the last run are waited for, and nothing of a session that is over. */
  let plans = 0;
  let runs = 0;
  let sessions = 0;
  /** Which button opened the step of confirming. */
  let opener: Towards | null = null;
  let confirming = false;
  const dialog = makeDialog(act);

  const element = (id: string): HTMLElement | null => root.querySelector<HTMLElement>(`#${id}`);

  function redraw(): void {
    const view = viewOf(state, words);
    const ran = element(RUNNING) !== null;
    const within = root.contains(document.activeElement);
    const mine = within || document.activeElement === document.body;
    draw(view, act, state);
    if (view.confirm !== null) {
      dialog.show(view.confirm.title, drawConfirm(view.confirm, act));
      if (!confirming) dialog.root.querySelector<HTMLElement>('[data-do=cancel]')?.focus();
      confirming = true;
      return;
    }
    // Who was in a part that went, or asked for one that came, is led to what stands in its place.
    if (confirming) {
      confirming = false;
      dialog.hide();
      (element(RUNNING) ?? element(RESULT) ?? root.querySelector<HTMLElement>(`[data-towards="${opener}"]`))?.focus();
    } else if (document.activeElement !== document.body) return;
    else if (mine && ran && element(RUNNING) === null) element(RESULT)?.focus();
    else if (within) (element('sipalg-username') ?? element(`sipalg-tab-${state.tab}`))?.focus();
  }

  function change(make: (state: State) => State): void {
    state = make(state);
    redraw();
  }

  /** A session that is over: the mount says how to get one. */
  function mind(came: object): void {
    if ('kind' in came && came.kind === 'no session') session?.ended(page);
  }

  async function lookNow(): Promise<void> {
    const [mine, asker] = [era, sessions];
    began = performance.now();
    const came = await (call('status', {}) as Promise<Reply>).catch(troubleOf);
    if (asker !== sessions) return;
    if ('kind' in came) {
      if (mine === era) change((was) => lost(was, came));
      return mind(came);
    }
    if (mine === era) change((was) => looked(was, came, performance.now()));
    askForTab();
  }

  function askForTab(): void {
    if (state.login !== null || !state.rights.read) return;
    for (const { name, method, args } of asksOf(state, words)) void ask(name, method, args);
  }

  async function showPlan(towards: Towards): Promise<void> {
    opener = towards;
    const [mine, asker] = [++plans, sessions];
    change((was) => confirm(was, towards));
    const came = await (call('plan', { towards }) as Promise<Reply>).catch(troubleOf);
    if (mine === plans) change((was) => planned(was, towards, came));
    if (asker === sessions) mind(came);
  }

  async function run(towards: Towards): Promise<void> {
    const [mine, asker] = [++runs, sessions];
    change((was) => asked(was, towards));
    const came = await (call(towards === 'disabled' ? 'disable' : 'enable', {}) as Promise<Reply>).catch(troubleOf);
    era++;
    if (mine === runs) change((was) => answered(was, towards, came, performance.now()));
    if (asker === sessions) mind(came);
  }

  async function startIt(): Promise<void> {
    change((was) => ({ ...was, starting: true }));
    const failed = await (start?.() ?? Promise.resolve()).then(
      () => false,
      (error: unknown) => troubleOf(error).said,
    );
    change((was) => ({ ...was, starting: failed }));
    await page.look();
  }

  async function ask(name: string, method: MethodName, args: Readonly<Record<string, unknown>>): Promise<void> {
    if (state.answers[name]?.busy === true) return;
    const asker = sessions;
    change((was) => asking(was, name));
    const came = await call(method, args).then(
      (result) => ({ result }),
      (error: unknown) => ({ trouble: troubleOf(error) }),
    );
    if (asker !== sessions) return;
    change((was) => told(was, name, came));
    if ('trouble' in came) mind(came.trouble);
  }

  function act(action: Action): void {
    switch (action.do) {
      case 'unfold':
        return change((was) => toggled(was, action.name));
      case 'turn to':
        change((was) => ({ ...was, tab: action.tab }));
        return askForTab();
      case 'type':
        return change((was) => typed(was, action.name, action.text));
      case 'show plan':
        return void showPlan(action.towards);
      case 'cancel':
        return change(cancelled);
      case 'confirm':
        return void (state.confirming?.plan && run(state.confirming.towards));
      case 'ask':
        return void ask(action.name, action.method, action.args);
      case 'start':
        return void startIt();
      case 'edit':
        return edit?.(page, action.edit);
      case 'log in':
        return session?.logIn(page, action.username, action.password);
      case 'log out':
        return session?.logOut(page);
    }
  }

  const page: Page = {
    look() {
      const mine = sessions;
      return (looking ??= lookNow().finally(() => {
        if (mine === sessions) looking = null;
      }));
    },
    follow() {
      // A timer's second may be a little short.
      const due = performance.now() - began >= (hurried(state) ? HURRY : PACE) - 100;
      return due && !document.hidden && state.login === null ? page.look() : Promise.resolve();
    },
    act,
    state: () => state,
    change,
    speak(next) {
      words = next;
      redraw();
    },
    end() {
      sessions++;
      looking = null;
      change(over);
    },
  };
  redraw();
  return page;
}
