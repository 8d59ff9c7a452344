import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseDocument } from 'yaml';
import { readArguments } from './cli/arguments/read-arguments.js';
import { COMMANDS } from './cli/registry.js';
import { manPage } from '../tools/docs/man-page.js';

const docs = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), 'utf8');

/** The fenced parts of a document in one language. */
const fenced = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp('^```' + language + '\\n([\\s\\S]*?)^```$', 'gm'))].map(([, inner]) => inner ?? '');

interface Step {
  uses?: string;
  run?: string;
  shell?: string;
}
interface Workflow {
  name: string;
  on: string[];
  jobs: Record<string, { 'runs-on': string | string[]; needs?: string; steps: Step[] }>;
}

describe('docs/ci.md', () => {
  const [yaml, ...more] = fenced(docs('ci.md'), 'yaml');

  it('has a whole workflow that is YAML, whose steps do one thing each', () => {
    expect(more).to.deep.equal([]);
    const document = parseDocument(yaml ?? '', { version: '1.2' });
    expect([...document.errors, ...document.warnings]).to.deep.equal([]);
    const { jobs } = document.toJS() as Workflow;
    expect(Object.keys(jobs)).to.deep.equal(['run', 'check']);
    for (const job of Object.values(jobs)) {
      expect(job['runs-on']).to.not.equal(undefined);
      expect(job.needs ?? 'run').to.be.oneOf(Object.keys(jobs));
      for (const step of job.steps) {
        expect(Number(step.uses !== undefined) + Number(step.run !== undefined), JSON.stringify(step)).to.equal(1);
        if (step.uses !== undefined) expect(step.uses).to.match(/^actions\/[\w-]+@v\d+$/);
      }
    }
  });

  it('calls dumpleak with words and options that it takes', async () => {
    const { jobs } = parseDocument(yaml ?? '').toJS() as Workflow;
    const lines = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run?.trim() ?? []));
    const ours = lines.filter((line) => line.startsWith('npx dumpleak '));
    expect(ours).to.have.length(2);
    for (const line of [
      ...ours,
      ...docs('ci.md')
        .match(/^ {4}dumpleak .*$/gm)!
        .map((one) => `npx ${one.trim()}`),
    ]) {
      const [, , name, ...args] = line.split(/\s+/);
      const entry = COMMANDS.find((one) => one.name === name);
      const { command } = await entry!.load();
      expect(readArguments(args, command), line).to.not.equal(null);
    }
  });
});

describe('docs/dumpleak.1', () => {
  it('is what the definitions of the commands give: run npm run docs', async () => {
    expect(docs('dumpleak.1')).to.equal(await manPage());
  });

  it('has every command, and no line that roff would take for one of its own', () => {
    const page = docs('dumpleak.1');
    for (const { name, words } of COMMANDS) {
      expect(page).to.include(`.SS "${`${name} ${words}`.trim().replaceAll('-', '\\-')}"`);
    }
    const requests = new Set(page.match(/^[.'].{2}/gm));
    expect([...requests].sort()).to.deep.equal(['.PP', '.SH', '.SS', '.TH', '.TP', '.br']);
  });
});

describe('docs/powershell.md', () => {
  const scripts = fenced(docs('powershell.md'), 'powershell');

  it('calls dumpleak with words and options that it takes', async () => {
    const lines = scripts
      .flatMap((text) => text.split('\n'))
      .flatMap((line) => /dumpleak ((?:'[^']*'|[^|'])+)/.exec(line)?.[1] ?? []);
    expect(lines).to.have.length(7);
    for (const line of lines) {
      const [name, ...args] = [...line.matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word);
      const { command } = await COMMANDS.find((one) => one.name === name)!.load();
      expect(readArguments(args, command), line).to.not.equal(null);
    }
  });

  it('has scripts whose brackets and quotes close', () => {
    const pairs: Readonly<Record<string, string>> = { '(': ')', '{': '}', '[': ']' };
    for (const script of scripts) {
      const open: string[] = [];
      for (const sign of script.replace(/'[^'\n]*'|"[^"\n]*"/g, '')) {
        expect(sign).to.not.match(/['"]/);
        if (sign in pairs) open.push(pairs[sign] ?? '');
        else if (/[)}\]]/.test(sign)) expect(sign).to.equal(open.pop());
      }
      expect(open).to.deep.equal([]);
    }
  });

  it('names columns and fields that there are', () => {
    expect(docs('result.md')).to.include('`nonPagedBytes`');
    for (const name of ['headline', 'leakSuspected', 'confidence', 'outstanding']) {
      expect(docs('result.schema.json')).to.include(`"${name}"`);
    }
  });
});
