/** For faces, which look by way of this room alone. */
export { inMemory, keepingCheck } from '../observe/kept-check.ts';
export type { CheckStore, KeptCheck } from '../observe/kept-check.ts';
