/**
 * The languages there are besides English, by their names in gettext. The packer fills this in (package/words.mjs): one for
 * each package/luci-app-sipalg/po/LANGUAGE/sipalg.po, each in a file of its own that is loaded when it is asked for.
 */
export type Catalog = Readonly<Record<string, string>>;

export const LANGUAGES: Readonly<Record<string, () => Promise<{ default: Catalog }>>> = {};
