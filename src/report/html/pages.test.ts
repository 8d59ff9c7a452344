import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { FULL, TRIAGE, UNKNOWN } from '../golden/samples.js';
import { renderAnalysisPage } from './analysis-page.js';
import { renderIndexPage } from './index-page.js';
import type { BatchIndex } from './index-data.js';
import { growth, HOSTILE, HOSTILE_INDEX, HOSTILE_RESULT, INDEX, manyTags } from './pages.test.helper.js';
import { renderTrendPage } from './trend-page.js';

const EMPTY: BatchIndex = {
  generatedAt: '2026-11-20T09:00:00Z',
  tool: { version: '0.1.0' },
  dumps: [],
  groups: [],
  failures: [],
  machines: [],
  advice: null,
};

const hostileTag = () => ({ description: HOSTILE[0], binary: HOSTILE[3], tagSource: null });

/** What is markup in a page: its tags, without its style and scripts. */
function tagsOf(page: string): string[] {
  return page.replace(/(<(style|script)>)[^]*?(?=<\/\2>)/g, '$1').match(/<[^>]*>/g) ?? [];
}

describe('report: pages', () => {
  const pages: readonly (readonly [string, string])[] = [
    ['a full result', renderAnalysisPage(FULL, { index: '../index.html' })],
    ['a result of which nothing is known', renderAnalysisPage(UNKNOWN)],
    ['a triage dump', renderAnalysisPage(TRIAGE)],
    ['hostile names', renderAnalysisPage(HOSTILE_RESULT)],
    ['an index', renderIndexPage(INDEX)],
    ['an empty index', renderIndexPage(EMPTY)],
    ['a hostile index', renderIndexPage(HOSTILE_INDEX)],
    ['growth', renderTrendPage(growth())],
    ['hostile growth', renderTrendPage(growth(HOSTILE.join('')), { describe: hostileTag })],
  ];
  for (const [name, page] of pages) {
    describe(name, () => {
      it('allows by its policy its own style and scripts, and nothing else', () => {
        const policy = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(page)?.[1] ?? '';
        const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
        const inside = (element: string) =>
          [...page.matchAll(new RegExp(`<${element}>([^]*?)</${element}>`, 'g'))].map(([, text]) => hash(text ?? ''));
        expect(inside('script')).to.have.length(2);
        expect(policy.split('; ')).to.deep.equal([
          "default-src 'none'",
          `style-src ${inside('style').join(' ')}`,
          `script-src ${inside('script').join(' ')}`,
          'img-src data:',
          "base-uri 'none'",
          "form-action 'none'",
        ]);
      });

      it('has no handler, no style of an element, no address of another place', () => {
        for (const tag of tagsOf(page)) {
          const attributes = tag.replace(/="[^"]*"/g, '=""');
          expect(attributes).to.match(/^<!?\/?[a-z0-9]+( [a-zA-Z][a-zA-Z0-9-]*(="")?)*\/?>$/, tag);
          expect(attributes).to.not.match(/ (on[a-z]+|style|src|srcset|action|xlink)=/);
          expect(tag).to.not.match(/^<(base|iframe|object|embed|form|link|img)\b/);
          const target = / href="([^"]*)"/.exec(tag)?.[1];
          if (target !== undefined) expect(target).to.match(/^(#[\w-]+|(\.\/|\.\.\/)[\w%.!~*()/-]+)$/);
        }
      });

      it('closes what it opens', () => {
        const open: string[] = [];
        for (const tag of tagsOf(page)) {
          const element = /^<\/?([a-z0-9]+)/.exec(tag)?.[1] ?? '';
          if (['', 'meta', 'input', 'br', 'hr'].includes(element) || tag.endsWith('/>')) continue;
          if (!tag.startsWith('</')) open.push(element);
          else expect(open.pop(), tag).to.equal(element);
        }
        expect(open).to.deep.equal([]);
      });

      it('gives every id once, and labels and links that lead somewhere', () => {
        const all = tagsOf(page).join('');
        const ids = [...all.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
        expect(new Set(ids).size).to.equal(ids.length);
        const wanted = [...all.matchAll(/ (?:aria-labelledby="|href="#)([^"]*)"/g)].map(([, id]) => id);
        expect(ids).to.include.members(wanted);
      });
    });
  }

  it('say the verdict first, then pictures, evidence, tables', () => {
    const page = renderAnalysisPage(manyTags(30));
    const places = [
      ...['id="verdict-title"', 'Next steps', 'id="limits"', 'id="treemap"', 'id="suspect-1"', 'Speaks for it'],
      ...['id="memory"', 'id="tag-table"', 'id="module-table"', 'id="warnings"'],
    ].map((part) => page.indexOf(part));
    expect(places).to.deep.equal(places.toSorted((a, b) => a - b));
    expect(places[0]).to.be.greaterThan(0);
  });

  it('hold every tag and every module without a script', () => {
    const page = renderAnalysisPage(manyTags(5000));
    expect(page.match(/feature number \d+</g)).to.have.length(5000);
  });

  it('show evidence with its bytes and its instruction', () => {
    const page = renderAnalysisPage(FULL);
    const evidence = FULL.suspects.flatMap(({ drivers }) => drivers.flatMap((driver) => driver.evidence));
    const instructions = evidence.flatMap(({ instruction }) => (instruction === null ? [] : [instruction]));
    expect(instructions).to.not.have.length(0);
    for (const instruction of instructions) expect(page).to.include(instruction);
    expect(page).to.include('4c 65 61 6b');
  });

  it('show the call that gets the tag, and its function, where a result has them', () => {
    const [suspect] = FULL.suspects;
    const [driver] = suspect!.drivers;
    const evidence = {
      ...driver!.evidence[0]!,
      call: {
        address: '0xfffff880044b63b9',
        allocator: 'ExAllocatePoolWithTag',
        kind: 'allocate' as const,
        instruction: 'call qword ptr [myfault+0x3010]',
        through: ['myfault+0x2000'],
      },
      function: { start: '0xfffff880044b6380', end: '0xfffff880044b6410', source: 'export' as const },
    };
    const page = renderAnalysisPage({
      ...FULL,
      suspects: [{ ...suspect!, drivers: [{ ...driver!, evidence: [evidence] }] }],
    });
    const text = page.replace(/<[^>]*>/g, '');
    expect(text).to.include(
      'Then call qword ptr [myfault+0x3010] at fffff880`044b63b9: ExAllocatePoolWithTag, through myfault+0x2000',
    );
    expect(text).to.include('In the function from fffff880`044b6380 to fffff880`044b6410.');
  });

  it('of many dumps tell drivers, machines that share a cause, and what was not read', () => {
    const page = renderIndexPage(INDEX);
    expect(page).to.match(/<h1 [^>]*>myfault\.sys: a leak is suspected in 4 of 5 dumps<\/h1>/);
    const shared = /Machines that share a cause<\/h2><ul>(.*?)<\/ul>/s.exec(page)?.[1] ?? '';
    expect(shared.replace(/<[^>]*>/g, '')).to.equal('myfault.sys 4.0.0.0, tag Leak in nonpaged pool: FILE-01, FILE-02');
    expect(page).to.include('not a Windows crash dump: it begins with 4d 5a 90 00');
    expect(page).to.include('href="./dumps/d1.html"');
    expect(renderIndexPage(EMPTY)).to.include('No dump could be read');
    const of = (...verdicts: (boolean | null)[]) => {
      const dumps = verdicts.map((leakSuspected) => ({ ...INDEX.dumps[4]!, leakSuspected }));
      return renderIndexPage({ ...EMPTY, dumps });
    };
    expect(of(false, false)).to.include('No leak suspected in any dump').and.not.include('not decided');
    expect(of(false, null)).to.include('No leak suspected in 1 dump; 1 cannot tell').and.include('not decided');
    expect(of(null)).to.include('Not decided: no dump can tell whether pool leaks').and.include('class="verdict warn"');
  });

  it('of growth tell what leaks and when a limit is reached, with charts that have axes, limits and restarts', () => {
    const trend = growth();
    const page = renderTrendPage(trend);
    expect(page).to.match(/<h1 [^>]*>Tag Leak in nonpaged pool grows 8\.0 MB an hour/);
    expect(page).to.match(/At this rate the nonpaged pool maximum is reached in \d+ h/);
    const [, chart = ''] = /<section id="leaks"[^]*?(<svg class="picture chart wide"[^]*?<\/svg>)/.exec(page) ?? [];
    for (const part of ['bytes (1 KB = 1,024)', 'time (UTC)', '>restart<', 'nonpaged pool maximum reached', '01-06']) {
      expect(chart).to.include(part);
    }
    expect(chart)
      .to.match(/<text [^>]*>0\.4 GB<\/text>/)
      .and.not.match(/NaN|Infinity/);
    const table = page.slice(page.indexOf('id="series-table"'));
    expect(table.match(/class="spark"/g)).to.have.length(trend.series.length);
    expect(page).to.include('&lt;b&gt;').and.not.include('<code><b>');
  });

  it('of growth without times speak of snapshots', () => {
    const page = renderTrendPage({ ...growth(), timed: false, times: Float64Array.from({ length: 60 }, (_, i) => i) });
    expect(page).to.include('>snapshot<').and.not.include('time (UTC)');
  });

  it('link to files beside them only', () => {
    const [first] = INDEX.dumps;
    const of = (page: string) => {
      const links = renderIndexPage({ ...INDEX, dumps: [{ ...first!, page }], groups: [] });
      return / href="(\.[^"]*)"/.exec(links)?.[1];
    };
    expect(of('a b/c#d?.html')).to.equal('./a%20b/c%23d%3F.html');
    expect(of('javascript:alert(1)')).to.equal('./javascript%3Aalert(1)');
    expect(of('//evil.example/../x')).to.equal('./evil.example/x');
  });

  it('tell what stands in the blocks of a suspect, and who was charged for them', () => {
    const page = renderAnalysisPage(FULL);
    expect(page).to.include('<h3>In its blocks: the content of 500 blocks was looked at</h3>');
    expect(page).to.include('<li>offset 0x18: nvstor.sys+0x1f40: 412 (82.4 %)</li>');
    expect(page).to.include('<li>watchman.exe (4321): 1 byte in 1 block</li>');
  });
});
