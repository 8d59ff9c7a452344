/** Patterns in which `*` stands for any characters, as expressions that no pattern makes slow. */

/** Characters of a pattern; no name is longer. */
const LONGEST = 4096;

/** Fits no text. */
const NOTHING = /(?!)/;

/**
 * An expression for the whole of a text, case left aside. `source` is one in which `*` stands for any run of characters.
 * What stands between two `*` is looked for once, at its first place: to go back to a later one would find no more, and take time
 * that grows with each `*`. Throws SyntaxError for a source that is no expression.
 */
export function wholeText(source: string): RegExp {
  if (source.length > LONGEST) return NOTHING;
  const [first = '', ...others] = source.split('*');
  const last = others.pop();
  if (last === undefined) return new RegExp(`^${first}$`, 'is');
  const between = others.filter((part) => part !== '').map((part, i) => `(?=(?<p${i}>.*?${part}))\\k<p${i}>`);
  return new RegExp(`^${first}${between.join('')}.*${last}$`, 'is');
}
