/**
 * HTML that is escaped by construction: a template's values become text, and nothing but a template, or text of our own
 * named as trusted, can become markup. Values stand between tags or inside double quotes, never as names.
 */

import { printable } from '../../../parsers/text-safety.js';

/** Markup. Made by `markup` and `trusted` alone. */
export class SafeHtml {
  readonly #markup: string;

  constructor(key: symbol, markup: string) {
    if (key !== KEY) throw new TypeError('markup is made by markup and trusted alone');
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

const KEY = Symbol('safe html');

/** What a template takes. Null and false leave nothing; a list is its parts one after the other. */
export type HtmlValue = SafeHtml | string | number | bigint | null | undefined | false | readonly HtmlValue[];

/** Markup with values in it: text is made printable and escaped. */
export function markup(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): SafeHtml {
  let text = parts[0] ?? '';
  for (let i = 0; i < values.length; i++) text += markupOf(values[i]) + (parts[i + 1] ?? '');
  return new SafeHtml(KEY, text);
}

/** Text of the program's own that is markup already: never text from a file. */
export function trusted(text: string): SafeHtml {
  return new SafeHtml(KEY, text);
}

/** Parts with a separator between them; those that are null or false are left out. */
export function joined(parts: readonly HtmlValue[], separator: HtmlValue): SafeHtml {
  const shown = parts.filter((part) => part !== null && part !== undefined && part !== false);
  return markup`${shown.map((part, i) => (i === 0 ? part : [separator, part]))}`;
}

function markupOf(value: HtmlValue): string {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof SafeHtml) return value.toString();
  if (typeof value === 'object') return value.map(markupOf).join('');
  return escapeText(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeText(text: string): string {
  return printable(text).replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? '');
}
