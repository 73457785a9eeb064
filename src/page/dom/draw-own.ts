/** The whole page, for the mount that has no frame of its own: the login, tabs, fields. */
import type { Act } from '../action.ts';
import type { FormView } from '../form.ts';
import { h } from '../tree.ts';
import type { Tree } from '../tree.ts';
import type { Login, View } from '../view.ts';
import { drawForm } from './draw-form.ts';
import { drawHead, drawTab } from './draw.ts';

function drawLogin(login: Login, act: Act): Tree {
  const { how, title, about, said, warning, busy } = login;
  const field = (name: 'username' | 'password', label: string): Tree =>
    h(
      'div',
      { class: 'cbi-value', key: name },
      h('label', { class: 'cbi-value-title', for: `sipalg-${name}` }, label),
      h(
        'div',
        { class: 'cbi-value-field' },
        h('input', {
          class: 'cbi-input-text',
          id: `sipalg-${name}`,
          name,
          type: name === 'password' ? 'password' : 'text',
          required: true,
          autocomplete: name === 'password' ? 'current-password' : 'username',
          'aria-describedby': said !== '' ? 'sipalg-login-said' : warning !== '' ? 'sipalg-login-warning' : null,
        }),
      ),
    );
  const submit = (event: Event): void => {
    event.preventDefault();
    const given = new FormData(event.target as HTMLFormElement);
    act({ do: 'log in', username: String(given.get('username')), password: String(given.get('password')) });
  };
  return h(
    'section',
    { class: 'cbi-section', 'aria-labelledby': 'sipalg-login', key: 'login' },
    h('h3', { id: 'sipalg-login' }, title),
    h('p', { class: 'cbi-section-descr' }, about),
    warning === '' ? null : h('p', { class: 'alert-message warning', id: 'sipalg-login-warning', key: 'warning' }, warning),
    said === '' ? null : h('p', { class: 'alert-message danger', role: 'alert', id: 'sipalg-login-said', key: 'said' }, said),
    how === 'token'
      ? null
      : h(
          'form',
          { key: 'form', on: { submit } },
          field('username', login.user),
          field('password', login.password),
          h(
            'div',
            { class: 'cbi-page-actions' },
            h('button', { class: 'btn cbi-button cbi-button-positive', type: 'submit', disabled: busy }, login.submit),
          ),
        ),
  );
}

/** Arrow keys go through the tabs (WAI-ARIA Authoring Practices, "Tabs"). */
function move(event: KeyboardEvent, names: readonly string[], at: number): string | undefined {
  const by = { ArrowRight: at + 1, ArrowLeft: at - 1 + names.length, Home: 0, End: names.length - 1 }[event.key];
  return by === undefined ? undefined : names[by % names.length];
}

/** The whole page, for the mount that has no frame of its own. */
export function draw(view: View, form: FormView | null, act: Act): Tree {
  const { tabs } = view;
  const shown = tabs.find(({ name }) => name === view.tab) ?? tabs[0];
  const names = tabs.map(({ name }) => name);
  return h(
    'div',
    { class: 'cbi-map', id: 'sipalg', 'data-mood': view.mood },
    h('h2', { key: 'title' }, view.title),
    h('div', { class: 'cbi-map-descr', key: 'about' }, view.about),
    { ...drawHead(view, act), attributes: {}, key: 'head' },
    view.login === null ? null : drawLogin(view.login, act),
    shown === undefined
      ? null
      : h(
          'div',
          { class: 'cbi-tabmenu', role: 'tablist', 'aria-label': view.title, key: 'tabs' },
          tabs.map(({ name, title }, at) =>
            h(
              'button',
              {
                class: name === shown.name ? 'cbi-tab' : 'cbi-tab-disabled',
                type: 'button',
                role: 'tab',
                key: name,
                id: `sipalg-tab-${name}`,
                'aria-selected': String(name === shown.name),
                'aria-controls': 'sipalg-panel',
                tabindex: name === shown.name ? '0' : '-1',
                on: {
                  click: () => act({ do: 'turn to', tab: name }),
                  keydown: (event: KeyboardEvent) => {
                    const tab = move(event, names, at) as typeof name | undefined;
                    if (tab === undefined) return;
                    event.preventDefault();
                    act({ do: 'turn to', tab });
                    document.getElementById(`sipalg-tab-${tab}`)?.focus();
                  },
                },
              },
              title,
            ),
          ),
        ),
    shown === undefined
      ? null
      : h(
          'div',
          {
            role: 'tabpanel',
            id: 'sipalg-panel',
            'aria-labelledby': `sipalg-tab-${shown.name}`,
            class: 'cbi-section',
            key: `panel ${shown.name}`,
          },
          drawTab(shown.blocks, act),
          form === null ? null : drawForm(form, act),
        ),
    view.leave === ''
      ? null
      : h(
          'div',
          { class: 'cbi-page-actions', key: 'leave' },
          h(
            'button',
            { class: 'btn cbi-button cbi-button-neutral', type: 'button', on: { click: () => act({ do: 'log out' }) } },
            view.leave,
          ),
        ),
  );
}
