import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { FULL, TRIAGE, UNKNOWN } from '../golden/samples.js';
import { renderAnalysisPage } from './analysis-page.js';
import { useBrowser, violations } from './browser.test.helper.js';
import { renderIndexPage } from './index-page.js';
import { growth, HOSTILE, HOSTILE_INDEX, HOSTILE_RESULT, INDEX, manyTags } from './pages.test.helper.js';
import { renderTrendPage } from './trend-page.js';

/** An A4 sheet within its margins of 14 mm, in CSS pixels. */
const SHEET = { width: Math.round((182 * 96) / 25.4), height: Math.round((269 * 96) / 25.4) };
/** How much of a sheet of that height stays empty at its end: for what may not be broken goes to the next, with its titles. */
const emptyEnd = `(height) => {
  const moved = [...document.querySelectorAll('body *')].filter((one) => {
    const { top, bottom } = one.getBoundingClientRect();
    return getComputedStyle(one).breakInside === 'avoid' && top < height && bottom > height;
  });
  const topOf = (one) => {
    let at = one;
    while (at.previousElementSibling === null && at.parentElement !== document.body) at = at.parentElement;
    const before = at.previousElementSibling;
    const isTitle = before !== null && getComputedStyle(before).breakAfter === 'avoid';
    return isTitle ? topOf(before) : one.getBoundingClientRect().top;
  };
  return height - Math.min(height, ...moved.map(topOf));
}`;

/** Cells of a column as they stand, in rows that are shown. */
async function column(page: Page, table: string, index: number): Promise<string[]> {
  return page.locator(`${table} tbody tr > :nth-child(${index})`).allInnerTexts();
}

describe('report: pages in a browser', function () {
  this.timeout(60_000);
  const browser = useBrowser();

  const pages: readonly (readonly [string, () => string])[] = [
    ['a full result', () => renderAnalysisPage(FULL)],
    ['a result of which nothing is known', () => renderAnalysisPage(UNKNOWN)],
    ['a triage dump', () => renderAnalysisPage(TRIAGE)],
    ['many tags', () => renderAnalysisPage(manyTags(40))],
    ['hostile names', () => renderAnalysisPage(HOSTILE_RESULT)],
    ['an index', () => renderIndexPage(INDEX)],
    ['a hostile index', () => renderIndexPage(HOSTILE_INDEX)],
    ['growth', () => renderTrendPage(growth(HOSTILE[0]))],
  ];
  for (const [name, render] of pages) {
    it(`${name}: nothing to complain of, in light and wide, in dark on a phone`, async () => {
      const html = render();
      for (const [colorScheme, width] of [
        ['light', 1280],
        ['dark', 390],
      ] as const) {
        const { page, complaints } = await browser.open(html, { colorScheme, viewport: { width, height: 844 } });
        expect(await violations(page), colorScheme).to.deep.equal([]);
        expect(complaints).to.deep.equal([]);
        const [broken, wider] = await page.evaluate(() => {
          const { documentElement: root } = (globalThis as unknown as { document: Doc }).document;
          return ['broken' in globalThis, root.scrollWidth - root.clientWidth] as const;
        });
        expect({ broken, wider }).to.deep.equal({ broken: false, wider: 0 });
        await page.context().close();
      }
    });
  }

  it('tables sort by click and by key, tell how, and keep the order of equals', async () => {
    const { page, complaints } = await browser.open(renderAnalysisPage(manyTags(300)));
    const head = page.locator('#tag-table thead tr:last-child th');
    const sorted = () => head.evaluateAll((cells: Cell[]) => cells.map((cell) => cell.getAttribute('aria-sort')));
    expect(await sorted()).to.deep.equal(Array(10).fill(null));
    await head.nth(0).getByRole('button').click();
    expect((await column(page, '#tag-table', 1)).slice(0, 3)).to.deep.equal(['A000', 'A002', 'A005']);
    expect((await sorted())[0]).to.equal('ascending');
    await head.nth(5).getByRole('button').focus();
    await page.keyboard.press('Enter');
    expect((await column(page, '#tag-table', 6)).slice(0, 3)).to.deep.equal(['4.7 KB', '4.7 KB', '4.6 KB']);
    expect((await sorted())[5]).to.equal('descending');
    expect((await sorted())[0]).to.equal(null);
    await page.keyboard.press('Space');
    expect((await column(page, '#tag-table', 6)).slice(0, 2)).to.deep.equal(['0', '16 bytes']);
    expect(complaints).to.deep.equal([]);
  });

  it('tables filter by words, say how many match, and show more rows when asked', async () => {
    const { page, complaints } = await browser.open(renderAnalysisPage(manyTags(1000)));
    const rows = page.locator('#tag-table tbody tr');
    expect(await rows.count()).to.equal(100);
    const status = page.locator('section#tags [role=status]');
    expect(await status.innerText()).to.equal('1,000 tags, the first 100 are shown');
    const filter = page.getByLabel('Filter tags');
    await filter.fill('driver5.sys number');
    await status.filter({ hasText: 'match' }).waitFor();
    expect(await status.innerText()).to.equal('11 of 1,000 tags match');
    expect(await rows.count()).to.equal(11);
    await filter.fill('');
    await status.filter({ hasNotText: 'match' }).waitFor();
    await page.getByRole('button', { name: 'Show 500 more' }).click();
    expect(await rows.count()).to.equal(600);
    await page.getByRole('button', { name: 'Show all 1,000' }).click();
    expect(await rows.count()).to.equal(1000);
    expect(complaints).to.deep.equal([]);
  });

  it('show the rows of the tag that is clicked in a picture', async () => {
    const { page, complaints } = await browser.open(renderAnalysisPage(manyTags(40)));
    await page.locator('.tree.wide [data-tag=C002]').first().click();
    expect(await column(page, '#tag-table', 1)).to.deep.equal(['C002']);
    expect(await page.getByLabel('Filter tags').inputValue()).to.equal('C002');
    expect(complaints).to.deep.equal([]);
  });

  it('have all rows where no script runs', async () => {
    const { page } = await browser.open(renderAnalysisPage(manyTags(300)), { javaScriptEnabled: false });
    expect(await page.locator('#tag-table tbody tr:visible').count()).to.equal(300);
    expect(await page.locator('button, input').count()).to.equal(0);
  });

  it('switch between light and dark', async () => {
    const { page } = await browser.open(renderAnalysisPage(FULL), { colorScheme: 'light' });
    const back = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    const before = await back();
    await page.getByRole('button', { name: 'Switch to dark colours' }).click();
    expect(await back()).to.not.equal(before);
    expect(await violations(page)).to.deep.equal([]);
    await page.getByRole('button', { name: 'Switch to light colours' }).click();
    expect(await back()).to.equal(before);
  });

  const printed: readonly (readonly [string, () => string])[] = [
    ['a picture of one pool', () => renderAnalysisPage(FULL)],
    ['pictures of both', () => renderAnalysisPage(manyTags(40))],
    ['nothing known', () => renderAnalysisPage(UNKNOWN)],
    ['a triage dump', () => renderAnalysisPage(TRIAGE)],
  ];
  for (const [name, render] of printed) {
    it(`printed, ${name}: the first sheet is not a third empty`, async () => {
      const { page } = await browser.open(render(), { viewport: SHEET });
      await page.emulateMedia({ media: 'print' });
      expect(await page.evaluate<number>(`(${emptyEnd})(${SHEET.height})`)).to.be.below(SHEET.height / 3);
    });
  }

  it('are ready soon with 5,000 tags', async () => {
    const html = renderAnalysisPage(manyTags(5000));
    const { page, complaints } = await browser.open(html);
    const times = await page.evaluate<{ ready: number; sort: number; filter: number }>(`(async () => {
      const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      const timed = async (act) => {
        const start = performance.now();
        act();
        await painted();
        return performance.now() - start;
      };
      const [entry] = performance.getEntriesByType('navigation');
      const table = document.querySelector('#tag-table');
      const sort = await timed(() => table.querySelectorAll('.sort')[9].click());
      const filter = await timed(() => table.filterBy('driver7.sys'));
      return { ready: entry.loadEventEnd, sort, filter };
    })()`);
    expect(await page.locator('#tag-table tbody tr').count()).to.equal(52);
    expect(complaints).to.deep.equal([]);
    const rounded = Object.entries(times).map(([what, ms]) => `${what} ${Math.round(ms)} ms`);
    process.stderr.write(`      5,000 tags, ${(html.length / 1e6).toFixed(1)} MB: ${rounded.join(', ')}\n`);
  });
});

interface Cell {
  getAttribute(name: string): string | null;
}
interface Doc {
  documentElement: { scrollWidth: number; clientWidth: number };
}
