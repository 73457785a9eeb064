/** A language's name by its form alone: what may stand in a configuration and in a call. What it means: `locale.ts`. */

/** Is it a language, with its script and region where it has them? As gettext, browsers or LuCI write it. */
export const isTag = (text: string): boolean => /^[a-z]{2,3}([_-][A-Za-z]{4})?([_-]([A-Za-z]{2}|\d{3}))?$/.test(text);
