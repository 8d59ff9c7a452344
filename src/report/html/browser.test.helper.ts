/** A browser for tests of pages: found on this machine, without a network, with everything noted that it complains of. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const PLACES = [
  ...['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/opt/google/chrome/chrome'],
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** A page that is open, and what it did that it should not. */
export interface OpenPage {
  page: Page;
  complaints: string[];
}

export interface PageBrowser {
  open(html: string, options?: BrowserContextOptions): Promise<OpenPage>;
}

/** Starts one browser for a `describe`; its tests are skipped where none is found. */
export function useBrowser(): PageBrowser {
  let browser: Browser | null = null;
  let folder = '';
  let count = 0;
  before(async function () {
    this.timeout(60_000);
    const executablePath = [process.env['CHROMIUM'] ?? '', ...PLACES].find((path) => path !== '' && existsSync(path));
    if (executablePath === undefined) {
      process.stderr.write('      no Chromium found (CHROMIUM names one): pages are not tested in a browser\n');
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-pages-'));
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  });
  after(async () => {
    await browser?.close();
    if (folder !== '') rmSync(folder, { recursive: true, force: true });
  });
  return {
    open: async (html, options = {}) => {
      if (browser === null) throw new Error('no browser');
      const file = join(folder, `${++count}.html`);
      writeFileSync(file, html);
      const context = await browser.newContext(options);
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => complaints.push(`console: ${message.text()}`));
      page.on('pageerror', (error) => complaints.push(`error: ${String(error)}`));
      page.on('dialog', (dialog) => void dialog.dismiss().then(() => complaints.push('a dialog')));
      const own = pathToFileURL(file).href;
      page.on('request', (request) => {
        if (request.url().split('#')[0] !== own) complaints.push(`request: ${request.url()}`);
      });
      await page.goto(own);
      return { page, complaints };
    },
  };
}

/** What axe finds wrong: rule and places. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const runner = (globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }).axe;
    const found = await runner.run();
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`);
  });
}

interface Violation {
  id: string;
  nodes: { html: string }[];
}
