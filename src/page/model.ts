/** What the page knows -> what is drawn. Pure; it words and arranges, and concludes nothing the report does not say. */
import { notice } from './blocks.ts';
import { GROUPS } from './fields.ts';
import type { State } from './state.ts';
import { confirmOf } from './switch.ts';
import { TABS } from './tabs.ts';
import type { Login, Mood, Notice, View } from './view.ts';
import { fill } from './words.ts';
import type { Words } from './words.ts';

function moodOf(state: State): Mood {
  if (state.login !== null) return 'login';
  if (state.reply === null || state.reply.verdict === null) {
    if (state.lost?.kind === 'denied') return 'denied';
    return state.lost === null ? 'loading' : 'no service';
  }
  const { alg, returns } = state.reply.verdict;
  return alg === 'off' && returns.length > 0 ? 'would come back' : alg;
}

/** What stands in the way of believing the rest. */
function noticesOf({ reply, lost, login, late, starting, rights }: State, words: Words): Notice[] {
  const notices: Notice[] = [];
  if (lost !== null && login === null && lost.kind === 'no object') {
    const failed = typeof starting === 'string' ? [fill(words.notStarted, starting)] : [];
    const button = { label: starting === true ? words.starting : words.start, active: starting !== true && rights.write };
    notices.push({ ...notice('lost', 'warning', words.noObject, [...failed, words.noEngine]), button });
  } else if (lost !== null && login === null) {
    const said = lost.said === '' ? [] : [fill(words.said, lost.said)];
    const text = lost.kind === 'denied' ? words.denied : reply?.verdict ? words.lost : words.lostFirst;
    notices.push(notice('lost', 'warning', text, said));
  }
  if (reply === null) return notices;
  if (reply.shortened !== undefined) notices.push(notice('shortened', 'info', reply.shortened));
  // While a run goes on, its own box says it.
  if (reply.now.pending.length > 0 && late && reply.now.running === null) {
    notices.push(notice('pending', 'warning', reply.verdict === null ? words.pendingFirst : words.pending, reply.now.pending));
  }
  if (reply.verdict !== null && reply.verdict.unread.length > 0) {
    notices.push(
      notice(
        'unread',
        'warning',
        words.unread,
        reply.verdict.unread.map(
          ({ source, because, says }) => `${source}: ${words.put(says === undefined ? undefined : { code: says }, because)}`,
        ),
      ),
    );
  }
  return notices;
}

function loginOf({ login }: State, words: Words): Login | null {
  if (login === null) return null;
  const { title, about, token, user, password, submit, busy } = words.login;
  return {
    how: login.how,
    title,
    about: login.how === 'token' ? token : about,
    said: login.said,
    warning: login.warning,
    busy: login.busy,
    user,
    password,
    submit: login.busy ? busy : submit,
  };
}

export function viewOf(state: State, words: Words): View {
  const { reply } = state;
  const mood = moodOf(state);
  const shown = mood === 'login' || reply === null || reply.facts === null ? null : reply;
  const tabs =
    shown === null ? [] : TABS.map(({ name, blocks }) => ({ name, title: words.tabs[name], blocks: blocks(shown, state, words) }));
  return {
    mood,
    title: words.title,
    about: words.about,
    notices: noticesOf(state, words),
    login: loginOf(state, words),
    wait: mood === 'loading' ? words.loading : '',
    tabs: tabs.filter(({ name, blocks }) => blocks.length > 0 || (state.form.file !== null && GROUPS.some(({ tab }) => tab === name))),
    tab: state.tab,
    confirm: shown === null || state.confirming === null ? null : confirmOf(state.confirming, words),
    leave: state.leave && mood !== 'login' ? words.login.leave : '',
  };
}
