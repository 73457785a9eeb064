/**
 * What the program hands to the parts that lie beside it: the values of its
 * modules that they import. The build fills it in (package/parts.mjs).
 */
export const core: readonly unknown[] = [];
