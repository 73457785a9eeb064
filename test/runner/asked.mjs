// What a person asks of the test command.

/**
 * @param {readonly string[]} argv [--layer NAME] and parts of test files' paths
 * @param {readonly string[]} layers
 * @returns {{ layer?: string, words: string[] } | { wrong: string }} `wrong`: a sentence
 */
export function asked(argv, layers) {
  /** @type {string | undefined} */
  let layer;
  const words = [];
  const known = `The layers are ${layers.join(', ')}.`;
  for (const rest = [...argv]; rest.length > 0;) {
    const word = /** @type {string} */ (rest.shift());
    if (word !== '--layer' && !word.startsWith('--layer=')) {
      if (word.startsWith('-'))
        return { wrong: `There is no option '${word}'; there is --layer NAME. Other words are parts of a test file's path.` };
      words.push(word);
      continue;
    }
    const name = word === '--layer' ? rest.shift() : word.slice('--layer='.length);
    if (name === undefined || name === '') return { wrong: `--layer lacks a name. ${known}` };
    if (!layers.includes(name)) return { wrong: `There is no layer '${name}'. ${known}` };
    if (layer !== undefined) return { wrong: `--layer stands there twice; one layer runs, or all of them.` };
    layer = name;
  }
  return layer === undefined ? { words } : { layer, words };
}
