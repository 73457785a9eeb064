/** What a person can do on the page. */
import type { Towards } from './state.ts';

export type Action =
  | { do: 'unfold'; name: string }
  | { do: 'show plan'; towards: Towards }
  | { do: 'confirm' }
  | { do: 'cancel' }
  | { do: 'log in'; username: string; password: string }
  | { do: 'log out' };

export type Act = (action: Action) => void;
