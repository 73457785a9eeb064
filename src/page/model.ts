/** What the page knows -> what is drawn. Pure; it words and arranges, and concludes nothing the report does not say. */
import type { Reply } from '../object/object.ts';
import type { Verdict, Weight } from '../judge/verdict.ts';
import { sectionsOf } from './sections.ts';
import type { State } from './state.ts';
import { evidenceFold, notice, sentenceOf } from './blocks.ts';
import { switchOf } from './switch.ts';
import type { Finding, Login, Mood, Notice, Tone, View } from './view.ts';
import { fill } from './words.ts';
import type { Words } from './words.ts';

const TONES: Record<Weight, Tone> = { alarm: 'danger', trouble: 'danger', risk: 'warning', note: 'notice' };

function moodOf(state: State): Mood {
  if (state.login !== null) return 'login';
  if (state.reply === null || state.reply.verdict === null) {
    if (state.lost?.kind === 'denied') return 'denied';
    return state.lost === null ? 'loading' : 'no service';
  }
  const { alg, returns } = state.reply.verdict;
  return alg === 'off' && returns.length > 0 ? 'would come back' : alg;
}

function verdictOf(verdict: Verdict, working: boolean, words: Words): NonNullable<View['verdict']> {
  const returns = verdict.alg === 'off' && verdict.returns.length > 0;
  const tone: Tone =
    verdict.alg === 'rewriting' || verdict.alg === 'tracking' ? 'danger' : verdict.alg === 'unknown' || returns ? 'warning' : 'success';
  return {
    tone,
    text: verdict.said === undefined ? verdict.text : verdict.said.map((one) => words.put(one)).join(' '),
    working,
    state: returns ? words.states.returns : words.states[verdict.alg],
    more: returns ? words.wouldReturn : '',
  };
}

/** What stands in the way of believing the rest. */
function noticesOf({ reply, lost, login }: State, words: Words): Notice[] {
  const notices: Notice[] = [];
  if (lost !== null && login === null) {
    const said = lost.said === '' ? [] : [fill(words.said, lost.said)];
    const text =
      lost.kind === 'no object' ? words.noObject : lost.kind === 'denied' ? words.denied : reply?.verdict ? words.lost : words.lostFirst;
    notices.push(notice('lost', 'warning', text, said));
  }
  if (reply === null) return notices;
  if (reply.shortened !== undefined) notices.push(notice('shortened', 'info', reply.shortened));
  if (reply.now.pending.length > 0) {
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

function findingsOf({ verdict }: Reply, state: State, words: Words): View['findings'] {
  if (verdict === null) return null;
  const rows = verdict.findings.map((finding): Finding => ({
    name: finding.code,
    tone: TONES[finding.weight],
    weight: words.weights[finding.weight],
    text: sentenceOf(finding, words),
    fold: evidenceFold(`finding ${finding.code}`, finding, state, words),
  }));
  return { title: words.findings, rows, empty: words.noFindings };
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
  const shown = mood === 'login' ? null : reply;
  const working = state.asked !== null || (reply?.now.running ?? null) !== null;
  return {
    mood,
    title: words.title,
    about: words.about,
    notices: noticesOf(state, words),
    login: loginOf(state, words),
    wait: mood === 'loading' ? words.loading : '',
    verdict: shown?.verdict ? verdictOf(shown.verdict, working, words) : null,
    switch: shown?.verdict ? switchOf(shown, state, words) : null,
    findings: shown === null ? null : findingsOf(shown, state, words),
    sections: shown === null ? [] : sectionsOf(shown, state, words),
    leave: state.leave && mood !== 'login' ? words.login.leave : '',
  };
}
