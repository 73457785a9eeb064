/**
 * The languages there are besides English, by their names in gettext. The packer fills this in (package/words.mjs): one for
 * each package/luci-app-sipalg/po/LANGUAGE/sipalg.po, each part in a file of its own that is loaded when it is asked for. A router has
 * them where the package sipalg-i18n-LANGUAGE is installed.
 */
export type Catalog = Readonly<Record<string, string>>;

/** `plain`: what most commands say. `calls`: what is said of calls, and help. `page`: the page's own sentences. */
export type Parts = Readonly<Record<'plain' | 'calls' | 'page', () => Promise<{ default: Catalog }>>>;
export type Languages = Readonly<Record<string, Parts>>;

export const LANGUAGES: Languages = {};
