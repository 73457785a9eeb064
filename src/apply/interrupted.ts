import { say, Trouble } from '../words/say.ts';

/** Somebody wants it to stop. */
export class Interrupted extends Trouble {
  constructor(said = say('interrupted', 'It was interrupted.')) {
    super(said);
  }
}
