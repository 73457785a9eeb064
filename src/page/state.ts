/** What the page knows, and how it changes. Pure: time and transport are elsewhere. */
import { EMPTY } from './form.ts';
import type { FormState } from './form.ts';
import type { Reply } from '../object/object.ts';
import type { Last } from '../object/runs.ts';
import type { Plan } from '../plan/step.ts';
import type { Finding } from '../judge/verdict.ts';

export type Towards = Last['towards'];

/** Why a call brought no reply. */
export interface Trouble {
  kind:
    /** nobody serves the object */
    | 'no object'
    /** the session may not ask this */
    | 'denied'
    /** there is no session, or it has ended */
    | 'no session'
    /** the request was turned down, with a sentence */
    | 'refused'
    /** no answer came, so nothing is known about what happened */
    | 'no answer';
  /** What was said, if anything. */
  said: string;
}

/** What a session may do. */
export interface Rights {
  read: boolean;
  write: boolean;
}

/** The step in which a person sees what would be done before it is. */
export interface Confirming {
  towards: Towards;
  /** null: still being found out. */
  plan: { plan: Plan; findings: Finding[] } | null;
  trouble: Trouble | null;
}

/** A run this page has asked for and not heard the end of. */
export interface Asked {
  towards: Towards;
  /** No reply will come any more: what the router says it is doing decides. */
  uncertain: boolean;
  said: string;
}

export interface Login {
  how: 'token' | 'password';
  busy: boolean;
  /** Why the last try failed, or the session is over. */
  said: string;
  /** That a password would go over the network in clear; '' where it would not. */
  warning: string;
}

export type TabName = 'status' | 'voice' | 'providers' | 'diagnosis' | 'settings';

/** What a call has brought that a tab made, beyond status and the switch. */
export interface Answer {
  busy: boolean;
  /** The last reply; null before there is one. It stays while the next one is waited for. */
  result: unknown;
  /** Why the last try brought nothing; null where it did. */
  trouble: Trouble | null;
}

export interface State {
  reply: Reply | null;
  /** When it came, by the page's clock. */
  at: number;
  /** Why the last look brought nothing; null when it did. */
  lost: Trouble | null;
  rights: Rights;
  /** Not null: there is no session, and this is how to get one. */
  login: Login | null;
  /** There is something to log out of. */
  leave: boolean;
  confirming: Confirming | null;
  asked: Asked | null;
  /** How the last run went, as far as it is worth telling. */
  result: Last | null;
  /** A run that was asked for and seems not to have begun. */
  missed: { towards: Towards; said: string } | null;
  /** When the last run known to the router ended; undefined before it was heard of. */
  seen: number | null | undefined;
  /** What has been unfolded. */
  open: readonly string[];
  tab: TabName;
  /** Of the mount that has a form of its own. */
  form: FormState;
  /** What stands in fields that belong to no form, by their names. */
  typed: Readonly<Record<string, string>>;
  /** By the name of what was asked. */
  answers: Readonly<Record<string, Answer>>;
  /** Since when tools are waited for, by the page's clock; null while none is. */
  waiting: number | null;
  /** They have been waited for long enough to say so. */
  late: boolean;
  /** What answers is being started; a text: why it was not. */
  starting: boolean | string;
}

export function begin(rights: Rights, leave = false): State {
  return {
    reply: null,
    at: 0,
    lost: null,
    rights,
    login: null,
    leave,
    confirming: null,
    asked: null,
    result: null,
    missed: null,
    seen: undefined,
    open: [],
    tab: 'status',
    form: EMPTY,
    typed: {},
    answers: {},
    waiting: null,
    late: false,
    starting: false,
  };
}

/** Is a run under way, or asked for? Then it is worth looking more often. */
export function hurried({ asked, reply }: State): boolean {
  return asked !== null || (reply?.now.running ?? null) !== null;
}

/** Milliseconds of waiting that nobody needs to be told of. */
export const PATIENCE = 2000;

/**
 * What is shown of a status. One without a report (whoever answers has just begun, and waits for its tools) does not take away
 * the report that there is, only older by now: what is typed and unfolded in it would go too.
 */
function shownOf(state: State, reply: Reply, at: number): Reply {
  const { reply: last } = state;
  if (reply.facts !== null || last === null || last.facts === null) return reply;
  return { ...last, now: { ...reply.now, age: last.now.age + at - state.at } };
}

/** A status has come. @param at milliseconds by the page's clock */
export function looked(state: State, came: Reply, at: number): State {
  const reply = shownOf(state, came, at);
  const last = reply.now.last;
  const news = last !== null && (state.seen === undefined ? last.outcome !== 'reached' : last.at !== state.seen);
  const waiting = reply.now.pending.length === 0 ? null : (state.waiting ?? at);
  const late = waiting !== null && at - waiting >= PATIENCE;
  const next: State = { ...state, reply, at, lost: null, starting: false, seen: last?.at ?? null, waiting, late };
  if (news) next.result = last;
  const { asked } = state;
  if (asked === null) return next;
  if (news && state.seen !== undefined) return { ...next, asked: null };
  if (!asked.uncertain || reply.now.running !== null) return next;
  return { ...next, asked: null, missed: { towards: asked.towards, said: asked.said } };
}

/** A look has brought nothing. */
export function lost(state: State, trouble: Trouble): State {
  return { ...state, lost: trouble };
}

/** A person wants to see what would be done. */
export function confirm(state: State, towards: Towards): State {
  return { ...state, confirming: { towards, plan: null, trouble: null } };
}

/** A plan has come, or not; too late where the person has gone on. */
export function planned(state: State, towards: Towards, came: Reply | Trouble): State {
  if (state.confirming?.towards !== towards || state.confirming.plan !== null) return state;
  if ('kind' in came) return { ...state, confirming: { towards, plan: null, trouble: came } };
  if (came.plan === null) {
    return { ...state, confirming: { towards, plan: null, trouble: { kind: 'no answer', said: came.now.pending.join(', ') } } };
  }
  return { ...state, confirming: { towards, plan: { plan: came.plan, findings: came.verdict.findings }, trouble: null } };
}

export function cancelled(state: State): State {
  return { ...state, confirming: null };
}

/** The person has confirmed: it is asked for, and nothing is known of it yet. */
export function asked(state: State, towards: Towards): State {
  return { ...state, confirming: null, result: null, missed: null, asked: { towards, uncertain: false, said: '' } };
}

/** What was asked for has been answered. Only what the reply says of its end counts; a look may have told that before. */
export function answered(state: State, towards: Towards, came: Reply | Trouble, at: number): State {
  if (state.asked === null) return state;
  if ('kind' in came) {
    if (came.kind === 'no answer') return { ...state, asked: { towards, uncertain: true, said: came.said } };
    return { ...state, asked: null, missed: { towards, said: came.said } };
  }
  return { ...state, reply: came, at, lost: null, asked: null, result: came.now.last ?? state.result };
}

export function toggled(state: State, name: string): State {
  const open = state.open.includes(name) ? state.open.filter((one) => one !== name) : [...state.open, name];
  return { ...state, open };
}

/** A tab has asked something. */
export function asking(state: State, name: string): State {
  const { result = null } = state.answers[name] ?? {};
  return { ...state, answers: { ...state.answers, [name]: { busy: true, result, trouble: null } } };
}

/** Something was typed. */
export const typed = (state: State, name: string, text: string): State => ({ ...state, typed: { ...state.typed, [name]: text } });

/** The session is over: what it asked for is not waited for any more, and nothing is done without being asked for again. */
export function over(state: State): State {
  const answers: Record<string, Answer> = {};
  for (const [name, answer] of Object.entries(state.answers)) answers[name] = { ...answer, busy: false };
  return { ...state, confirming: null, answers };
}

/** It was answered, or not. */
export function told(state: State, name: string, came: { result: unknown } | { trouble: Trouble }): State {
  const { result = null } = state.answers[name] ?? {};
  const answer: Answer =
    'trouble' in came ? { busy: false, result, trouble: came.trouble } : { busy: false, result: came.result, trouble: null };
  return { ...state, answers: { ...state.answers, [name]: answer } };
}
