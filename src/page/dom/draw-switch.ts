/** The switch drawn: buttons, the step of confirming, the echo, the end. */
import type { Act } from '../action.ts';
import { code, drawNotice, item, list } from './draw-blocks.ts';
import { h } from '../tree.ts';
import type { Tree } from '../tree.ts';
import type { Confirm, Running, SwitchBlock } from '../view.ts';

/** Where the focus goes when a part of the switch comes or goes; see page.ts. */
export const RUNNING = 'sipalg-running';
export const RESULT = 'sipalg-result';

const BOX = { border: '1px solid', 'border-color': 'currentColor', 'border-radius': '4px', padding: '.6em .8em', margin: '.6em 0' };

const typed = (commands: readonly string[], traits: Record<string, unknown> = {}): Tree =>
  list(
    'commands',
    commands.map((command) => item('', '.1em 0', code(`# ${command}`))),
    traits,
  );

/** What stands in the dialog of confirming, below its title. Cancel comes first: who is in doubt presses that. */
export function drawConfirm({ wait, notices, steps, go, leave }: Confirm, act: Act): Tree {
  return h(
    'div',
    { class: 'sipalg-confirm', 'data-confirm': go === '' ? 'wait' : 'ready' },
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
          {
            style: { 'list-style': 'none', margin: '.3em 0', padding: '0', 'max-height': '55vh', overflow: 'auto' },
            tabindex: '0',
            'aria-label': null,
          },
        ),
    h(
      'div',
      {
        class: 'right',
        key: 'buttons',
        style: { display: 'flex', 'flex-wrap': 'wrap', gap: '.5em', 'justify-content': 'flex-end', margin: '.8em 0 0' },
      },
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
    ),
  );
}

function drawRunning({ title, lines, echo, commands }: Running): Tree {
  return h(
    'div',
    { role: 'group', 'aria-labelledby': RUNNING, key: 'running', style: BOX },
    h('h3', { id: RUNNING, tabindex: '-1', style: { margin: '0 0 .4em' } }, h('em', { class: 'spinning' }, title)),
    lines.map((line) => h('p', {}, line)),
    h('p', { key: 'echo' }, echo),
    typed(commands, { role: 'log', 'aria-live': 'polite' }),
  );
}

export function drawSwitch({ title, lines, notices, buttons, hint, running, result }: SwitchBlock, act: Act): Tree {
  return h(
    'section',
    { 'aria-label': title, key: 'switch', style: { margin: '.6em 0 1em' } },
    notices.map((one) => drawNotice(one, act)),
    result === null ? null : drawNotice(result, act, { id: RESULT, tabindex: '-1', role: result.tone === 'success' ? 'status' : 'alert' }),
    running === null ? null : drawRunning(running),
    buttons.length === 0
      ? null
      : h(
          'div',
          { key: 'buttons', style: { display: 'flex', 'flex-wrap': 'wrap', gap: '.5em', margin: '.6em 0' } },
          buttons.map(({ towards, label, tone, active }) =>
            h(
              'button',
              {
                class: `btn cbi-button cbi-button-${tone}${tone === 'positive' ? ' important' : ''}`,
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
    h(
      'p',
      { class: 'cbi-section-descr', id: 'sipalg-hint', key: 'hint', style: { margin: '.3em 0' } },
      [...lines, hint].filter((line) => line !== '').join(' '),
    ),
  );
}
