/** What a person can do on the page. */
import type { MethodName } from '../object/object.ts';
import type { Edit } from './form.ts';
import type { TabName, Towards } from './state.ts';

export type Action =
  | { do: 'unfold'; name: string }
  | { do: 'turn to'; tab: TabName }
  | { do: 'show plan'; towards: Towards }
  | { do: 'confirm' }
  | { do: 'cancel' }
  /** Calls a method; what comes is kept in the state's `answers` by the name. */
  | { do: 'ask'; name: string; method: MethodName; args: Readonly<Record<string, unknown>> }
  /** A field that belongs to no form. */
  | { do: 'type'; name: string; text: string }
  /** Of the form of the mount that has one of its own. */
  | { do: 'edit'; edit: Edit }
  /** Starts what answers the page. */
  | { do: 'start' }
  | { do: 'log in'; username: string; password: string }
  | { do: 'log out' };

export type Act = (action: Action) => void;
