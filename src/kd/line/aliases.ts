/** Names that stand for text: `${name}` anywhere, and the bare name where blanks are around it. */

/** A name by itself; what `as` can define. */
export const ALIAS_NAME = /^[^\s;"{}]+$/;

/** A line with its aliases replaced, once: what an alias brings in is not looked at again. */
export function withAliases(line: string, aliases: ReadonlyMap<string, string>): string {
  // Commands that name aliases must see the names.
  if (aliases.size === 0 || /^\s*(?:a[sd]|al|aS)\s/.test(line)) return line;
  return line.replace(/\$\{([^}]+)\}|(?<!\S)[^\s;"{}]+(?=$|[\s;])/g, (word, inner: string | undefined) => {
    return aliases.get(inner ?? word) ?? word;
  });
}
