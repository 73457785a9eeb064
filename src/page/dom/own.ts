/** The page as `sipalg serve` serves it, for routers without LuCI. */
import type { MethodName } from '../../object/object.ts';
import { ANSWER_WITHIN } from '../answered.ts';
import { createDialog } from './dialog.ts';
import { draw } from './draw-own.ts';
import { match } from './match.ts';
import { Failure, open } from './page.ts';
import type { Page } from './page.ts';
import { begin } from '../state.ts';
import type { Login, Rights } from '../state.ts';
import { fill, wordsIn } from '../words.ts';
import { changesOf, entered, formOf, read, resumed, saved, wrongIn } from '../form.ts';
import type { Edit } from '../form.ts';
import type { ConfigurationReply, Written } from '../../http/configuration.ts';
import { chosen } from '../../words/locale.ts';
import type { Coded, Said } from '../../words/say.ts';

/** How often it is asked whether it is time. Milliseconds. */
const TICK = 1000;
const ASK_AGAIN = 5000;

interface Session {
  rights: Rights;
  login: Login['how'];
  /** As the configuration says it: a language, or `auto`. A daemon that is older says nothing. */
  lang?: string;
  /** Where a password would go over the network in clear. */
  clear?: Said;
}

declare const SIPALG_LANGUAGES: readonly string[];

/** The language of `option lang`, else the browser's first that there is; null: English. */
function languageFor(lang = 'auto'): string | null {
  const wanted = lang === 'auto' ? navigator.languages : [lang];
  for (const one of wanted) {
    const found = chosen(one, SIPALG_LANGUAGES);
    if (found !== undefined) return found;
  }
  return null;
}

let spoken: string | null = null;
/** Which is wanted by now: words of another one that come late are not. */
let wanted: string | null = null;
let words = wordsIn((text) => text);

/** Fetches the words of a language, once; where they cannot be had, it stays in English. */
async function speak(page: Page, lang: string | undefined): Promise<void> {
  const language = languageFor(lang);
  wanted = language;
  if (language === spoken) return;
  const catalog =
    language === null ? {} : await (ask(`words/${language}.json`, undefined) as Promise<Record<string, string>>).catch(() => null);
  if (catalog === null || language !== wanted) return;
  spoken = language;
  document.documentElement.lang = (language ?? 'en').replace(/_/g, '-');
  words = wordsIn((text) => (Object.prototype.hasOwnProperty.call(catalog, text) ? (catalog[text] as string) : text));
  document.title = words.title;
  page.speak(words);
}

/** What was answered, as JSON; null where it is none: an answer of somebody between, or one cut short, is nobody's to read. */
function valueOf(text: string): { result?: unknown; error?: unknown } | null {
  try {
    return JSON.parse(text) as { result?: unknown };
  } catch {
    return null;
  }
}

/** Asks the server. Sentences of its errors are put into words by their code, or shown as they are. */
async function ask(path: string, body: unknown, longest: number | null = ANSWER_WITHIN): Promise<unknown> {
  const stop = new AbortController();
  const timer = longest === null ? null : setTimeout(() => stop.abort(), longest);
  let response: Response;
  let answer: { result?: unknown; error?: unknown } | null;
  try {
    response = await fetch(path, {
      method: body === undefined ? 'GET' : 'POST',
      credentials: 'same-origin',
      cache: 'no-store',
      signal: stop.signal,
      headers: { 'X-Sipalg': '1', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    answer = valueOf(await response.text());
  } catch (error) {
    throw new Failure('no answer', (error as Error).message);
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
  // A configuration that was not written is answered with why, too.
  if (answer !== null && (response.ok || 'result' in answer)) return answer;
  const error = typeof answer?.error === 'string' ? answer.error : `${response.status} ${response.statusText}`;
  const said = answer !== null && 'code' in answer ? words.put(answer as Coded, error) : error;
  throw new Failure(
    response.status === 401 ? 'no session' : response.status === 403 ? 'denied' : response.status >= 500 ? 'no answer' : 'refused',
    said,
  );
}

/** Methods that are answered when they have come to their end, however long that is: the router answers when a run is verified. */
const UNBOUNDED: readonly string[] = ['disable', 'enable'];

async function call(method: MethodName, args: object): Promise<unknown> {
  return ((await ask('call', { method, args }, UNBOUNDED.includes(method) ? null : ANSWER_WITHIN)) as { result: unknown }).result;
}

const root = document.getElementById('page') as HTMLElement;

/** What is shown is of this session: grows when it is over or left, and what is answered after that is nobody's. */
let sessions = 0;
/** The file was not read, and may be at another time. */
let unread = false;

/** @param take puts what was read into the form */
async function readForm(page: Page, take: typeof read): Promise<void> {
  const mine = sessions;
  page.change((was) => ({ ...was, form: { ...was.form, busy: 'reading' } }));
  const came = await (ask('configuration', {}) as Promise<{ result: ConfigurationReply }>).catch((error: Failure) => error);
  if (mine !== sessions) return;
  unread = came instanceof Failure && came.trouble.kind === 'no answer';
  if (!(came instanceof Failure)) return page.change((was) => ({ ...was, form: take(was.form, came.result) }));
  const said = { tone: 'danger' as const, text: came.message };
  page.change((was) => ({ ...was, form: { ...was.form, busy: null, said } }));
  if (came.trouble.kind === 'no session') return meet(page, came.message);
}

async function saveForm(page: Page): Promise<void> {
  const { form } = page.state();
  // What a field refuses is not sent: the field is shown.
  const wrong = wrongIn(form, words);
  if (wrong !== null) {
    page.change((was) => ({ ...was, tab: wrong.tab }));
    return document.getElementById(`sipalg-field-${wrong.name}`)?.focus();
  }
  if (form.file === null) return;
  page.change((was) => ({ ...was, form: { ...was.form, busy: 'saving', said: null } }));
  const body = { revision: form.file.revision, changes: changesOf(form) };
  const mine = sessions;
  let written: Written;
  try {
    ({ result: written } = (await ask('configure', body)) as { result: Written });
  } catch (error) {
    if (mine !== sessions) return;
    const { trouble } = error as Failure;
    const said = { tone: 'danger' as const, text: fill(words.form.notSaved, trouble.said) };
    page.change((was) => ({ ...was, form: { ...was.form, busy: null, said } }));
    return trouble.kind === 'no session' ? meet(page, trouble.said) : undefined;
  }
  if (mine !== sessions) return;
  page.change((was) => ({ ...was, form: saved(was.form, written, words) }));
  const [first] = page.state().form.refused;
  const at = first === undefined ? 'sipalg-saved' : `sipalg-field-${first.section.replace('sipalg.', '')}-${first.option}`;
  (document.getElementById(at) ?? document.getElementById('sipalg-saved'))?.focus();
}

function edit(page: Page, asked: Edit): void {
  if (asked.do === 'save') return void saveForm(page);
  if (asked.do === 'read')
    // The button that was pressed has nothing more to do: the focus goes on from the tab.
    return void readForm(page, read).then(() => document.getElementById(`sipalg-tab-${page.state().tab}`)?.focus());
  page.change((was) => ({ ...was, form: entered(was.form, asked) }));
}

/** When it was last asked whether there is a session, and how often: only the last answer counts. */
let asked = 0;
let meetings = 0;

/** Milliseconds that the page waits for its words; those that come later take the place of the English ones. */
const WORDS_WITHIN = 1000;

/** @param because why there is no session any more, where there was one @param left it was left: nothing of it stays on the page */
async function meet(page: Page, because = '', left = false): Promise<void> {
  const mine = ++meetings;
  asked = performance.now();
  let session: Session;
  try {
    session = (await ask('session', undefined)) as Session;
  } catch (error) {
    const { trouble } = error as Failure;
    if (mine === meetings) page.change((was) => ({ ...was, lost: trouble }));
    return;
  }
  if (mine !== meetings) return;
  const { rights, login, lang, clear } = session;
  await Promise.race([speak(page, lang), new Promise<void>((resolve) => setTimeout(resolve, WORDS_WITHIN))]);
  if (mine !== meetings) return;
  if (!rights.read) {
    sessions++;
    page.end();
    const warning = clear === undefined ? '' : words.put(clear);
    const form = { how: login, busy: false, said: because, warning };
    const none = { read: false, write: false };
    return page.change((was) => ({ ...(left ? { ...begin(none, true), tab: was.tab } : was), rights, leave: false, login: form }));
  }
  page.change((was) => ({ ...was, rights, leave: true, login: null }));
  void readForm(page, resumed);
  await page.look();
}

const said = (page: Page, busy: boolean, text: string): void =>
  page.change((was) => (was.login === null ? was : { ...was, login: { ...was.login, busy, said: text } }));

const page = open({
  root,
  words,
  rights: { read: false, write: false },
  draw: (view, act, { form, rights, typed }) => match(root, draw(view, formOf(form, view.tab, rights.write, words, typed), act)),
  edit,
  dialog: (act) => {
    const box = document.createElement('dialog');
    box.className = 'modal';
    box.setAttribute('aria-labelledby', 'sipalg-dialog');
    const head = document.createElement('h4');
    head.id = 'sipalg-dialog';
    box.addEventListener('cancel', (event) => {
      event.preventDefault();
      act({ do: 'cancel' });
    });
    return createDialog(
      act,
      (title, contents) => {
        head.textContent = title;
        box.append(head, contents);
        document.body.append(box);
        if (!box.open) box.showModal();
      },
      () => {
        box.close();
        box.remove();
      },
    );
  },
  call,
  session: {
    ended: (mine) => void meet(mine, mine.state().lost?.said),
    logIn(mine, username, password) {
      said(mine, true, '');
      ask('login', { username, password }).then(
        () => meet(mine),
        (error: Failure) => said(mine, false, error.message),
      );
    },
    logOut(mine) {
      ask('logout', {}).then(
        () => meet(mine, '', true),
        (error: Failure) => mine.change((was) => ({ ...was, lost: error.trouble })),
      );
    },
  },
});

/** Whether there is a session is asked as often as a look is made. */
function follow(): void {
  const { form, login } = page.state();
  if (unread && login === null && form.file === null && form.busy === null && performance.now() - asked >= ASK_AGAIN) {
    asked = performance.now();
    void readForm(page, read);
  }
  if (page.state().rights.read || page.state().login !== null) return void page.follow();
  if (!document.hidden && performance.now() - asked >= ASK_AGAIN) void meet(page);
}

document.addEventListener('visibilitychange', follow);
setInterval(follow, TICK);
void meet(page);
