import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runHere } from './program.test.helper.js';
import { COMMANDS, FAMILIES } from './registry.js';

/** What stands in for "none of ours": the shell's own files. */
const FILES = ['only-file.dmp'];

/** Words before the cursor, the last one unfinished, and some of what may come; `not` must not. */
interface Case {
  readonly words: readonly string[];
  readonly some?: readonly string[];
  readonly all?: readonly string[];
  readonly not?: readonly string[];
  /** All options by their long names; what turns them off is not among them. */
  readonly long?: readonly string[];
}

const FIXED: readonly Case[] = [
  { words: ['h'], all: ['handles', 'help', 'history', 'holders'] },
  { words: [''], some: ['analyze', 'queue', 'completion'], not: ['list', '--json'] },
  { words: ['history', 'l'], all: ['list'] },
  { words: ['help', 'hist'], all: ['history'] },
  { words: ['--json', 'history', 'ta'], all: ['tables'] },
  { words: ['vm', '--layout', ''], all: ['new', 'old'] },
  { words: ['vm', 'x.dmp', '--json', '--layout', 'o'], all: ['old'] },
  { words: ['vm', '--layout', 'old', ''], all: FILES },
  { words: ['trend', '--pool', 'n'], all: ['nonpaged'] },
  { words: ['analyze', ''], all: FILES },
  { words: ['analyze', 'only'], all: FILES },
  { words: ['only'], all: FILES },
  { words: ['history', 'list', ''], all: FILES },
  { words: ['analyze', '--images', ''], all: FILES },
  { words: ['x.dmp', '--brie'], all: ['--brief'] },
  { words: ['completion', ''], all: ['bash', 'fish', 'powershell', 'zsh'] },
  { words: ['history', '--'], all: ['--help', '--version'] },
  { words: ['analyze', '--no-'], all: ['--no-ascii', '--no-color'] },
];

/** Each family with its commands, and each command with the options that its help shows. */
async function cases(): Promise<Case[]> {
  const found: Case[] = [...FIXED];
  for (const family of FAMILIES.keys()) {
    const commands = COMMANDS.flatMap(({ name }) => (name.startsWith(`${family} `) ? [name.slice(family.length + 1)] : [])); // prettier-ignore
    found.push({ words: [family, ''], all: commands });
  }
  for (const { name } of COMMANDS) {
    const words = name.split(' ');
    const { stdout } = await runHere([...words, '--help']);
    const options = stdout.slice(0, stdout.indexOf('\nExamples:')).match(/^ +(?:-\w, )?--[\w-]+/gm) ?? [];
    const long = options.map((option) => /--[\w-]+/.exec(option)?.[0] ?? '');
    expect(long, name).to.include('--output');
    found.push({ words: [...words, '--'], long });
  }
  return found;
}

/** What calls the script in each shell for lines of words with a tab between them, and prints a line of words for each. */
const CALLERS: Readonly<Record<string, { readonly start: readonly string[]; readonly script: string }>> = {
  bash: {
    start: ['bash', '--norc', '--noprofile', '-c'],
    script: `source "$1"
      while IFS= read -r line; do
        IFS=$'\\t' read -ra words <<< "\${line//$'\\t'/$'\\t'}"
        [[ $line != *$'\\t' ]] || words+=('')
        COMP_WORDS=(dumpleak "\${words[@]}"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
        [ -n "$line" ] || { COMP_WORDS=(dumpleak ''); COMP_CWORD=1; }
        current="\${COMP_WORDS[COMP_CWORD]}"; [ "$current" != = ] || current=
        COMPREPLY=(); _dumpleak dumpleak "$current" "\${COMP_WORDS[COMP_CWORD-1]}"
        (( \${#COMPREPLY[@]} )) || COMPREPLY=($(compgen -f -- "$current"))
        echo "\${COMPREPLY[*]}"
      done`,
  },
  zsh: {
    start: ['zsh', '-f', '-c'],
    script: `compdef() { : }
      compadd() { local w; out=(); for w in "\${@[2,-1]}"; do [[ $w != $PREFIX* ]] || out+=("$w"); done; (( $#out )) }
      _files() { out=($PREFIX*(N)) }
      source "$1"
      while IFS= read -r line; do
        words=(dumpleak "\${(@ps:\\t:)line}"); CURRENT=$#words; PREFIX=$words[-1]; out=(); _dumpleak
        print -r -- "$out"
      done`,
  },
  fish: {
    start: ['fish', '--no-config', '-c'],
    script: `source $argv[1]
      while read -l line
        echo (complete -C "dumpleak "(string replace -a \\t ' ' -- $line) | string replace -r '\\t.*' '')
      end`,
  },
};

describe('dumpleak completion', () => {
  let folder = '';
  const scriptOf = async (shell: string): Promise<string> => {
    const { code, stdout, stderr } = await runHere(['completion', shell]);
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    return stdout;
  };

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-completion-'));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  for (const [shell, { start, script }] of Object.entries(CALLERS)) {
    it(`completes commands, options, choices and files in ${shell} (where there is one)`, async function () {
      const [program = '', ...args] = start;
      if (process.platform === 'win32' || spawnSync(program, ['--version']).status !== 0) this.skip();
      const place = join(folder, shell);
      const path = join(folder, `dumpleak.${shell}`);
      writeFileSync(path, await scriptOf(shell));
      const empty = mkdtempSync(`${place}-`);
      writeFileSync(join(empty, FILES[0] ?? ''), '');
      const asked = await cases();
      // bash and zsh take the next word for the name of the script.
      const { stdout, stderr } = spawnSync(program, [...args, script, ...(shell === 'fish' ? [] : [shell]), path], {
        ...{ cwd: empty, encoding: 'utf8', env: { ...process.env, HOME: empty } },
        input: asked.map(({ words }) => `${words.join('\t')}\n`).join(''),
      });
      expect(stderr).to.equal('');
      const answers = stdout.trimEnd().split('\n');
      expect(answers).to.have.length(asked.length);
      asked.forEach(({ words, some, all, not, long }, i) => {
        const answer = (answers[i] ?? '').split(' ');
        const what = `dumpleak ${words.join(' ')}`;
        if (all !== undefined) expect([...answer].sort(), what).to.deep.equal([...all].sort());
        if (long !== undefined) {
          const given = answer.filter((word) => word.startsWith('--') && !word.startsWith('--no-'));
          expect([...new Set(given)].sort(), what).to.deep.equal(
            [...new Set(long.filter((option) => !option.startsWith('--no-')))].sort(),
          );
        }
        if (some !== undefined) expect(answer, what).to.include.members([...some]);
        for (const one of not ?? []) expect(answer, what).to.not.include(one);
      });
    });
  }

  it('completes values after = in bash, which splits there (where there is one)', async function () {
    if (process.platform === 'win32' || spawnSync('bash', ['--version']).status !== 0) this.skip();
    const path = join(folder, 'dumpleak.split');
    writeFileSync(path, await scriptOf('bash'));
    const { start, script } = CALLERS['bash'] ?? { start: [], script: '' };
    const { stdout } = spawnSync('bash', [...start.slice(1), script, 'bash', path], {
      ...{ cwd: folder, encoding: 'utf8', input: 'trend\t--pool\t=\ntrend\t--pool\t=\tpa\n' },
    });
    expect(stdout).to.equal('nonpaged paged\npaged\n');
  });

  it('is a script for PowerShell whose brackets and quotes close, with the same words', async () => {
    const text = await scriptOf('powershell');
    const open: string[] = [];
    const pairs: Readonly<Record<string, string>> = { '(': ')', '{': '}', '[': ']' };
    for (const sign of text.replace(/'[^'\n]*'|"[^"\n]*"/g, '')) {
      expect(sign).to.not.match(/['"]/);
      if (sign in pairs) open.push(pairs[sign] ?? '');
      else if (/[)}\]]/.test(sign)) expect(sign).to.equal(open.pop());
    }
    expect(open).to.deep.equal([]);
    const ofBash = (await scriptOf('bash')).matchAll(/^ {4}'(.*)'\) found='(.*)' ;;$/gm);
    const table = [...ofBash].map(([, key, words]) => `    '${key ?? ''}' = '${words ?? ''}'`);
    expect(table.length).to.be.greaterThan(COMMANDS.length);
    expect(text).to.include(table.join('\n'));
  });

  it('holds no word that a shell would read as more than a word', async () => {
    for (const [, key, words] of (await scriptOf('bash')).matchAll(/^ {4}'(.*)'\) found='(.*)' ;;$/gm))
      expect(`${key ?? ''} ${words ?? ''}`).to.match(/^[\w -]*$/);
  });

  it('says which shells there are', async () => {
    for (const name of ['tcsh', 'constructor']) {
      const { code, stderr } = await runHere(['completion', name]);
      expect(code).to.equal(64);
      expect(stderr).to.include(`${name}: it is made for bash, zsh, fish, powershell`);
    }
  });
});
