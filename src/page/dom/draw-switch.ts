/** The switch drawn: buttons, the step of confirming, the echo, the end. */
import type { Act } from '../action.ts';
import { code, drawNotice, item, list } from './draw-blocks.ts';
import { h } from './tree.ts';
import type { Tree } from './tree.ts';
import type { Confirm, Running, Switch } from '../view.ts';

/** Where the focus goes when a part of the switch comes or goes; see page.ts. */
export const CONFIRM = 'sipalg-confirm';
export const RUNNING = 'sipalg-running';
export const RESULT = 'sipalg-result';

const BOX = { border: '1px solid', 'border-color': 'currentColor', 'border-radius': '4px', padding: '.6em .8em', margin: '.6em 0' };

const typed = (commands: readonly string[], traits: Record<string, unknown> = {}): Tree =>
  list(
    'commands',
    commands.map((command) => item('', '.1em 0', code(`# ${command}`))),
    traits,
  );

function drawConfirm({ title, wait, notices, steps, go, leave }: Confirm, act: Act): Tree {
  const keydown = (event: Event): void => {
    if ((event as KeyboardEvent).key === 'Escape') act({ do: 'cancel' });
  };
  return h(
    'div',
    { role: 'group', 'aria-labelledby': CONFIRM, key: 'confirm', style: BOX, on: { keydown } },
    h('h4', { id: CONFIRM, tabindex: '-1', style: { margin: '0 0 .4em' } }, title),
    h(
      'div',
      { role: 'status', 'aria-live': 'polite', key: 'wait' },
      wait === '' ? null : h('p', {}, h('em', { class: 'spinning' }, wait)),
      notices.map((one) => drawNotice(one, act)),
    ),
    steps.length === 0
      ? null
      : list(
          'steps',
          steps.map(({ text, why, commands }, place) =>
            item(
              '',
              '.4em 0',
              h('strong', {}, `${place + 1}. ${text}`),
              why === '' ? null : h('div', {}, why),
              typed(commands, { style: { margin: '.2em 0 0 1.2em', padding: '0' } }),
            ),
          ),
        ),
    h(
      'div',
      { key: 'buttons', style: { display: 'flex', 'flex-wrap': 'wrap', gap: '.5em', margin: '.4em 0 0' } },
      go === ''
        ? null
        : h(
            'button',
            {
              class: 'btn cbi-button cbi-button-positive important',
              type: 'button',
              key: 'go',
              'data-do': 'confirm',
              on: { click: () => act({ do: 'confirm' }) },
            },
            go,
          ),
      h(
        'button',
        {
          class: 'btn cbi-button cbi-button-neutral',
          type: 'button',
          key: 'leave',
          'data-do': 'cancel',
          on: { click: () => act({ do: 'cancel' }) },
        },
        leave,
      ),
    ),
  );
}

function drawRunning({ title, lines, echo, commands }: Running): Tree {
  return h(
    'div',
    { role: 'group', 'aria-labelledby': RUNNING, key: 'running', style: BOX },
    h('h4', { id: RUNNING, tabindex: '-1', style: { margin: '0 0 .4em' } }, h('em', { class: 'spinning' }, title)),
    lines.map((line) => h('p', {}, line)),
    h('p', { key: 'echo' }, echo),
    typed(commands, { role: 'log', 'aria-live': 'polite' }),
  );
}

export function drawSwitch({ title, lines, notices, buttons, hint, confirm, running, result }: Switch, act: Act): Tree {
  return h(
    'section',
    { class: 'cbi-section', 'aria-labelledby': 'sipalg-switch', key: 'switch' },
    h('h3', { id: 'sipalg-switch' }, title),
    lines.map((line) => h('p', {}, line)),
    notices.map((one) => drawNotice(one, act)),
    result === null ? null : drawNotice(result, act, { id: RESULT, tabindex: '-1', role: result.tone === 'success' ? 'status' : 'alert' }),
    running === null ? null : drawRunning(running),
    confirm === null ? null : drawConfirm(confirm, act),
    buttons.length === 0
      ? null
      : h(
          'div',
          { key: 'buttons', style: { display: 'flex', 'flex-wrap': 'wrap', gap: '.5em', margin: '.6em 0' } },
          buttons.map(({ towards, label, tone, active }) =>
            h(
              'button',
              {
                class: `btn cbi-button cbi-button-${tone}`,
                type: 'button',
                key: towards,
                'data-towards': towards,
                disabled: !active,
                'aria-describedby': 'sipalg-hint',
                on: { click: () => act({ do: 'show plan', towards }) },
              },
              label,
            ),
          ),
        ),
    hint === '' ? null : h('p', { id: 'sipalg-hint', key: 'hint' }, hint),
  );
}
