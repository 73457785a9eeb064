/** The page alive: looks, asks, draws. A mount gives it a place, a transport and a rhythm. */
import type { Reply } from '../../object/object.ts';
import type { Action } from '../action.ts';
import { CONFIRM, RESULT, RUNNING } from './draw-switch.ts';
import { draw } from './draw.ts';
import { viewOf } from '../model.ts';
import { answered, asked, begin, cancelled, confirm, hurried, looked, lost, planned, toggled } from '../state.ts';
import type { Rights, State, Towards, Trouble } from '../state.ts';
import { match } from './tree.ts';
import type { Words } from '../words.ts';

/** The calls of the page. Rejects with a Failure. */
export interface Transport {
  status(): Promise<Reply>;
  plan(towards: Towards): Promise<Reply>;
  disable(): Promise<Reply>;
  enable(): Promise<Reply>;
}

/** How a call of the transport fails. */
export class Failure extends Error {
  readonly trouble: Trouble;
  constructor(kind: Trouble['kind'], said: string) {
    super(said);
    this.trouble = { kind, said };
  }
}

export interface Mount {
  root: HTMLElement;
  transport: Transport;
  words: Words;
  rights: Rights;
  /** Sessions are the mount's business: what to do when there is none, and how to get or leave one. */
  session?: {
    ended(page: Page): void;
    logIn(page: Page, username: string, password: string): void;
    logOut(page: Page): void;
  };
}

export interface Page {
  /** Looks once; resolves when it is drawn. Never rejects. */
  look(): Promise<void>;
  /** Is a run under way? Then looks should follow each other faster. */
  hurried(): boolean;
  state(): State;
  change(change: (state: State) => State): void;
  /** Goes on in other words. */
  speak(words: Words): void;
}

function troubleOf(error: unknown): Trouble {
  return error instanceof Failure ? error.trouble : { kind: 'no answer', said: error instanceof Error ? error.message : String(error) };
}

export function open({ root, transport, words: first, rights, session }: Mount): Page {
  let words = first;
  let state = begin(rights, session !== undefined);
  let looking: Promise<void> | null = null;
  /** Grows when a run ends: a look that began before it shows what was. */
  let era = 0;
  /** Which button opened the step of confirming. */
  let opener: Towards | null = null;

  const element = (id: string): HTMLElement | null => root.querySelector<HTMLElement>(`#${id}`);
  const focusIn = (): boolean => document.activeElement === document.body || root.contains(document.activeElement);

  function redraw(): void {
    const before = { confirm: element(CONFIRM), running: element(RUNNING) };
    const mine = focusIn();
    match(root, draw(viewOf(state, words), act));
    // Who was in a part that went, or asked for one that came, is led to what stands in its place.
    if (!mine) return;
    if (before.confirm === null && element(CONFIRM) !== null) element(CONFIRM)?.focus();
    else if (before.confirm !== null && element(CONFIRM) === null) {
      (element(RUNNING) ?? element(RESULT) ?? root.querySelector<HTMLElement>(`[data-towards="${opener}"]`))?.focus();
    } else if (before.running !== null && element(RUNNING) === null && document.activeElement === document.body) element(RESULT)?.focus();
  }

  function change(make: (state: State) => State): void {
    state = make(state);
    redraw();
  }

  async function lookNow(): Promise<void> {
    const mine = era;
    try {
      const reply = await transport.status();
      if (mine === era) change((was) => looked(was, reply));
    } catch (error) {
      const trouble = troubleOf(error);
      change((was) => lost(was, trouble));
      if (trouble.kind === 'no session') session?.ended(page);
    }
  }

  async function showPlan(towards: Towards): Promise<void> {
    opener = towards;
    change((was) => confirm(was, towards));
    const came = await transport.plan(towards).catch(troubleOf);
    change((was) => planned(was, towards, came));
    if ('kind' in came && came.kind === 'no session') session?.ended(page);
  }

  async function run(towards: Towards): Promise<void> {
    change((was) => asked(was, towards));
    const came = await (towards === 'disabled' ? transport.disable() : transport.enable()).catch(troubleOf);
    era++;
    change((was) => answered(was, towards, came));
    if ('kind' in came && came.kind === 'no session') session?.ended(page);
  }

  function act(action: Action): void {
    switch (action.do) {
      case 'unfold':
        return change((was) => toggled(was, action.name));
      case 'show plan':
        return void showPlan(action.towards);
      case 'cancel':
        return change(cancelled);
      case 'confirm':
        return void (state.confirming?.plan && run(state.confirming.towards));
      case 'log in':
        return session?.logIn(page, action.username, action.password);
      case 'log out':
        return session?.logOut(page);
    }
  }

  const page: Page = {
    look: () =>
      (looking ??= lookNow().finally(() => {
        looking = null;
      })),
    hurried: () => hurried(state),
    state: () => state,
    change,
    speak(next) {
      words = next;
      redraw();
    },
  };
  redraw();
  return page;
}
