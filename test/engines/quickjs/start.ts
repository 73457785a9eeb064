/** Runs the packed test file it is given: what a test expects to be there is there before it. */
import './globals.ts';

declare const scriptArgs: readonly string[];

await import(scriptArgs[1] ?? '');
