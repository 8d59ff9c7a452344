/**
 * Names that stand for text: `${name}` anywhere, and the bare name where blanks are around it. `${/d:name}` is 1 or 0: whether there is
 * one; `${/f:name}` nothing where there is none; `${/n:name}` its name where there is one, `${/v:name}` its name in any case.
 */

/** A name by itself; what `as` can define. */
export const ALIAS_NAME = /^[^\s;"{}]+$/;

const IN_BRACES = /\$\{(?:\/([dfnv]):)?([^}]+)\}/g;
const ANYWHERE = /\$\{(?:\/([dfnv]):)?([^}]+)\}|(?<!\S)[^\s;"{}]+(?=$|[\s;])/g;
/** Commands that name aliases must see the names. */
const NAMES_ALIASES = /^\s*(?:a[sd]|al|aS)\s/;

/** What stands for `${name}` with a switch, or as it is. */
function replaced(word: string, how: string | undefined, name: string, known: ReadonlyMap<string, string>): string {
  const text = known.get(name);
  switch (how) {
    case 'd':
      return text === undefined ? '0' : '1';
    case 'f':
      return text ?? '';
    case 'n':
      return text === undefined ? word : name;
    case 'v':
      return name;
    default:
      return text ?? word;
  }
}

/** A line with its aliases replaced, once: what an alias brings in is not looked at again. */
export function withAliases(line: string, aliases: ReadonlyMap<string, string>): string {
  if (NAMES_ALIASES.test(line)) {
    return line.replace(IN_BRACES, (word, how: string | undefined, name: string) => (how === 'v' ? name : word));
  }
  if (aliases.size === 0 && !line.includes('${/')) return line;
  return line.replace(ANYWHERE, (word, how: string | undefined, name: string | undefined) =>
    replaced(word, how, name ?? word, aliases),
  );
}

const ARGUMENT = /^\$arg[1-9]\d{0,3}$/;

/** The text of a script with its arguments in place of `${$arg1}` and its like. Arguments that are not given are left as they stand. */
export function withArguments(text: string, given: readonly string[]): string {
  const known = new Map(given.map((one, i) => [`$arg${i + 1}`, one]));
  return text.replace(ANYWHERE, (word, how: string | undefined, name: string | undefined) =>
    ARGUMENT.test(name ?? word) ? replaced(word, how, name ?? word, known) : word,
  );
}
