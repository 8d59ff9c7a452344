/** Text from a dump may hold anything; this makes it safe to print. */

/**
 * Replaces control characters, escape sequences' introducers, bidirectional overrides and lone surrogates by `?`,
 * so that a name in a dump cannot move a cursor, colour a terminal or turn a line around.
 */
export function printable(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff]/g, '?');
}
