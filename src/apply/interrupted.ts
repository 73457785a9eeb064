/** Somebody wants it to stop. */
export class Interrupted extends Error {}
