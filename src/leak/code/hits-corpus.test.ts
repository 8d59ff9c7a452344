import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readModules } from '../../kernel/modules/modules.js';
import { OpenedDump } from '../../kernel/open/opened-dump.js';
import { searchTags } from '../../kernel/modules/tag-search.js';
import type { TagHit } from '../../kernel/state.js';
import { classifyHit } from './hits.js';
import { keyOf } from '../scenario.test.helper.js';

const DUMPS = resolve('..', 'shared', 'corpus', 'dumps');

/** What a forged dump says about each place where a tag's bytes stand. */
interface Expected {
  tag_hits: Record<string, { module: string; address: string; genuine: boolean; style: string; in_dump: boolean }[]>;
}

describe('hits in whole dumps', () => {
  for (const name of [
    'forged-healthy-bitmap-kernel',
    'forged-shared_tag-bitmap-kernel',
    'forged-win11_paged-bitmap-kernel',
    'forged-ntdebugging-kernel',
  ]) {
    it(`${name}: code that uses a tag is code, texts and accidents are text (needs ../shared/corpus)`, async function () {
      const path = join(DUMPS, `${name}.dmp.gz`);
      if (!existsSync(path)) this.skip();
      const expected = JSON.parse(readFileSync(join(DUMPS, `${name}.expected.json`), 'utf8')) as Expected;
      const opened = await OpenedDump.open(path);
      try {
        const { modules } = readModules(opened.kernel);
        const tags = Object.keys(expected.tag_hits);
        const { hits } = searchTags(modules, tags.map(keyOf));
        let judged = 0;
        for (const tag of tags) {
          const known = new Map(expected.tag_hits[tag]!.map((hit) => [hit.address, hit]));
          for (const hit of hits.get(keyOf(tag)) ?? []) {
            const { genuine, style } = known.get(addressOf(hit)) ?? {};
            if (genuine === undefined) continue;
            const title = `${tag} at ${addressOf(hit)} (${style ?? ''})`;
            expect(classifyHit(hit).kind, title).to.equal(genuine ? 'code-immediate' : 'string');
            judged++;
          }
        }
        expect(judged).to.be.at.least(5);
      } finally {
        opened.close();
      }
    });
  }
});

function addressOf(hit: TagHit): string {
  return `0x${hit.address.toString(16)}`;
}
