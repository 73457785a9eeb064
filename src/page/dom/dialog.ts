/** Keys of a dialog, the same in both mounts: Escape leaves it, Tab goes round in it. */
import type { Act } from '../action.ts';
import type { Dialog } from './page.ts';
import { match } from './match.ts';

/**
 * @param opened puts the contents on the screen below a title
 * @param closed takes them away
 */
export function createDialog(act: Act, opened: (title: string, root: HTMLElement) => void, closed: () => void): Dialog {
  const root = document.createElement('div');
  let title: string | null = null;
  root.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      return act({ do: 'cancel' });
    }
    if (event.key !== 'Tab') return;
    const stops = [...root.querySelectorAll<HTMLElement>('button, [tabindex="0"]')];
    const [first] = stops;
    const last = stops[stops.length - 1];
    const [from, to] = event.shiftKey ? [first, last] : [last, first];
    if (document.activeElement !== from) return;
    event.preventDefault();
    to?.focus();
  });
  return {
    root,
    show(next, tree) {
      match(root, tree);
      if (title !== next) opened(next, root);
      title = next;
    },
    hide() {
      title = null;
      closed();
    },
  };
}
