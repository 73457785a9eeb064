// Translations as LuCI reads them: what its po2lmo makes of a .po file. Texts, each filled up to four bytes; then for each
// 16 bytes (hash of the sentence, number of plural forms, place, length), sorted by hash; then the place of that table.
// The hash is SuperFastHash (azillionmonkeys.com/qed/hash.html) over the sentence with blanks run together.

/** @param {Buffer} data */
export function hash(data) {
  if (data.length === 0) return 0;
  let sum = data.length;
  const whole = data.length & ~3;
  for (let at = 0; at < whole; at += 4) {
    sum = (sum + data.readUInt16LE(at)) | 0;
    sum = (sum << 16) ^ (data.readUInt16LE(at + 2) << 11) ^ sum;
    sum = (sum + (sum >>> 11)) | 0;
  }
  // What is left over, as signed characters.
  if (data.length - whole === 3) {
    sum = (sum + data.readUInt16LE(whole)) | 0;
    sum ^= (sum << 16) ^ (data.readInt8(whole + 2) << 18);
    sum = (sum + (sum >>> 11)) | 0;
  } else if (data.length - whole === 2) {
    sum = (sum + data.readUInt16LE(whole)) | 0;
    sum ^= sum << 11;
    sum = (sum + (sum >>> 17)) | 0;
  } else if (data.length - whole === 1) {
    sum = (sum + data.readInt8(whole)) | 0;
    sum ^= sum << 10;
    sum = (sum + (sum >>> 1)) | 0;
  }
  for (const [left, right] of [
    [3, 5],
    [4, 17],
    [25, 6],
  ]) {
    sum ^= sum << (left ?? 0);
    sum = (sum + (sum >>> (right ?? 0))) | 0;
  }
  return sum >>> 0;
}

/**
 * Sentences and their translations. Plural forms and contexts are not used, and refused.
 * @param {string} text of a .po file @returns {[string, string][]}
 */
export function entries(text) {
  if (/^msg(ctxt|id_plural|str\[)/m.test(text))
    throw new Error('A translation has a context or plural forms; package/lmo.mjs writes neither.');
  const unquoted = (/** @type {string} */ lines) =>
    [...lines.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, part = '']) => part.replace(/\\(["\\n])/g, (_, char) => (char === 'n' ? '\n' : char))).join('');
  return [...text.matchAll(/^msgid ((?:".*"\n)+)msgstr ((?:".*"(?:\n|$))+)/gm)].map(([, id = '', said = '']) => [
    unquoted(id),
    unquoted(said),
  ]);
}

/** @param {string} text of a .po file @returns {Buffer} */
export const lmo = (text) => lmoOf(entries(text));

/** @param {readonly [string, string][]} pairs what is sought, and what is found @returns {Buffer} */
export function lmoOf(pairs) {
  const texts = [];
  const rows = [];
  let place = 0;
  for (const [id, said] of pairs) {
    const [key, value] = [Buffer.from(id), Buffer.from(said)];
    // The heading says nothing LuCI needs here, and what is the same in both languages is found without.
    if (key.length === 0 || value.length === 0 || hash(key) === hash(value)) continue;
    const filled = Buffer.concat([value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
    texts.push(filled);
    rows.push([hash(key), 1, place, value.length]);
    place += filled.length;
  }
  const numbers = [...rows.sort(([one = 0], [other = 0]) => one - other).flat(), place];
  const table = Buffer.alloc(4 * numbers.length);
  numbers.forEach((number, at) => table.writeUInt32BE(number, 4 * at));
  return Buffer.concat([...texts, table]);
}
