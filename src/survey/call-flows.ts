/** The flows of calls alone, without all that a diagnosis looks at besides. */
export { observeCallFlows } from '../observe/calls/flows.ts';
