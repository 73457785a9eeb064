/** What a face says of an error. */
import type { Put } from '../words/english.ts';
import { Trouble } from '../words/say.ts';

/** What went wrong, in the reader's language where it has a code. */
export const errorText = (error: Error, put: Put): string => (error instanceof Trouble ? put(error.said) : put(undefined, error.message));
