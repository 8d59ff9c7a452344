/** The frame of a page: one file that needs nothing else, under a policy that lets nothing else in. */

import { createHash } from 'node:crypto';
import { markup, trusted, type SafeHtml } from './safe-html.js';
import { EARLY_SCRIPT, SCRIPT } from './script.js';
import { STYLE } from './style.js';

export interface PageParts {
  /** For the window and the list of tabs. */
  title: string;
  /** What kind of page it is, beside the program's name. */
  kind: string;
  /** What stands above the sections. */
  lead: SafeHtml;
  /** Those without a body are left out; the others have a link each. */
  sections: readonly Section[];
  /** Who made the page, when, from what. */
  footer: SafeHtml;
}

/** A section: its id, the name of the link to it, and what `pageSection` made of it. */
export type Section = readonly [id: string, name: string, body: SafeHtml | null];

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

let policy: string | null = null;

/** Made once: style and scripts are the same in every page. */
function contentPolicy(): string {
  policy ??= [
    `default-src 'none'`,
    `style-src ${hash(STYLE)}`,
    `script-src ${hash(EARLY_SCRIPT)} ${hash(SCRIPT)}`,
    `img-src data:`,
    `base-uri 'none'`,
    `form-action 'none'`,
  ].join('; ');
  return policy;
}

/** A section with its heading; null where it has no body. */
export function pageSection(id: string, title: string, body: SafeHtml | null): SafeHtml | null {
  if (body === null) return null;
  return markup`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${body}
</section>
`;
}

/** The whole document, ended by a line feed. */
export function renderPage({ title, kind, lead, sections, footer }: PageParts): string {
  const shown = sections.filter(([, , body]) => body !== null);
  const links = shown.map(([id, name]) => markup`<li><a href="#${id}">${name}</a></li>`);
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(contentPolicy())}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${trusted(STYLE)}</style>
<script>${trusted(EARLY_SCRIPT)}</script>
</head>
<body>
<a class="skip" href="#main">Skip to the findings</a>
<header class="top"><p><strong>dumpleak</strong> <span>${kind}</span></p>
<nav aria-label="Sections"><ul>${links}</ul></nav></header>
<main id="main" tabindex="-1">
${lead}
${shown.map(([, , body]) => body)}
</main>
<footer>${footer}</footer>
<script>${trusted(SCRIPT)}</script>
</body>
</html>
`.toString();
}
