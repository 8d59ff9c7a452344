import { expect } from 'chai';
import fc from 'fast-check';
import { wordsOf, type AnyCommand, type CommandEntry } from './command.js';
import { UsageError } from './errors.js';
import { GENERAL } from './options/options.js';
import { readArguments } from './arguments/read-arguments.js';
import { runHere } from './program.test.helper.js';
import { COMMANDS } from './registry.js';
import { readCommand } from './arguments/yargs-arguments.js';

describe('command line: arguments', () => {
  const loaded: { entry: CommandEntry; command: AnyCommand }[] = [];
  const named = (name: string) => loaded.find(({ entry }) => entry.name === name)!;

  before(async () => {
    for (const entry of COMMANDS) loaded.push({ entry, command: (await entry.load()).command });
  });

  /** Words and options as yargs reads them; null where it refuses or would show a text. */
  function byYargs(args: readonly string[], name: string): Record<string, unknown> | null {
    const { entry, command } = named(name);
    try {
      const reading = readCommand(args, entry, command);
      return 'values' in reading ? reading.values : null;
    } catch (error) {
      if (error instanceof UsageError) return null;
      throw error;
    }
  }

  /** The values that are set. */
  const set = (values: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

  describe('the registry', () => {
    it('spells the words of every command as the command does', () => {
      for (const { entry, command } of loaded) expect(entry.words, entry.name).to.equal(wordsOf(command.positionals));
    });

    it('has options that can be read quickly: no default, no long second name, none of the general names', () => {
      for (const { entry, command } of loaded) {
        for (const [name, { alias, default: preset, type, choices }] of Object.entries({ ...command.options })) {
          const what = `${entry.name} --${name}`;
          expect(preset, what).to.equal(undefined);
          if (alias !== undefined) expect(alias, what).to.match(/^[a-z]$/);
          expect(type ?? choices, what).to.not.equal(undefined);
          if (name !== 'quiet') expect(GENERAL, what).to.not.have.property(name);
        }
      }
    });

    it('has two to five examples a command, each one that the command takes', () => {
      for (const { entry, command } of loaded) {
        expect(command.examples.length, entry.name).to.be.within(2, 5);
        for (const [line] of command.examples) {
          const words = line.match(/"[^"]*"|\S+/g)!.map((word) => word.replaceAll('"', ''));
          const length = entry.name.split(' ').length;
          const args = words.slice(length);
          // What to ask in SQL is an example of how to find out.
          if (words.slice(0, length).join(' ') === 'history tables') continue;
          expect(words.slice(0, length).join(' ')).to.equal(entry.name);
          if (command.positionals['dump']?.kind === 'required') expect(args).to.include('MEMORY.DMP');
          expect(readArguments(args, command), line).to.not.equal(null);
        }
      }
    });
  });

  describe('readArguments', () => {
    const analyze = (...args: string[]) => readArguments(args, named('analyze').command);

    it('reads words and options in any order', () => {
      expect(set(analyze('--top', '5', 'a.dmp', '--json', '-q', '-o', 'x', '--no-color', '--pooltag=p', '--pooltag', 'q')!)).to.deep.equal({
      dump: 'a.dmp', top: 5, json: true, quiet: true, output: 'x', color: false, pooltag: ['p', 'q'],
    }); // prettier-ignore
    });

    it('leaves to yargs what is wrong, or has something to show', () => {
      for (const line of [
      '', 'a b', '--jsno a', 'a --top', 'a --top 0', 'a --top x', 'a --pool both', 'a --help', 'a -h', 'a --version',
      'help', 'a --output --json', 'a --top 1 --top 2', 'a --no-top',
    ]) {
      expect(analyze(...line.split(' ').filter((word) => word !== '')), line).to.equal(null);
    } // prettier-ignore
    });

    it('takes words after -- as they are', () => {
      expect(set(analyze('--json', '--', '-a.dmp')!)).to.deep.equal({ dump: '-a.dmp', json: true });
      expect(analyze('a', '--', '--json')).to.equal(null);
    });

    /** What yargs alone reads: odd words, and words of the command that are given as options. */
    const isOfYargs = (arg: string, name: string): boolean =>
      /^$|^help$|["']/.test(arg) ||
      Object.keys(named(name).command.positionals).includes(arg.replace(/^--(?:no-)?/, '').replace(/=.*/, ''));

    it('reads as yargs does, and all that yargs would take', function () {
      this.timeout(60_000);
      const token = fc.constantFrom(
      'a.dmp', 'MEMORY.DMP', '2', '0', '/t5', 'Leak*', '0x10', '-5', 'C:\\d\\x.dmp', '"q"', 'true', 'help', '', 'x y',
      '--json', '--no-json', '--json=true', '-q', '--quiet', '--no-quiet', '-o', '--output', '-ofile', '-o=f', '--output=f', '-qo',
      '--top', '--top=7', '--top=x', '-t', '-t5', '-t=5', '--tag', '--tag=Leak', '--tag=0x1', '--pool', '--pool=paged', 'paged',
      '--pooltag', '--pooltag=p', '--color', '--no-color', '--ascii', '--no-ascii', '--layout=old', '--layout', 'new', '--at=fffff880`0',
      '--at', '--hex', '--hex=4c65', '--fail-on-leak', '--no-fail-on-leak', '--fail-on-leek', '--csv', '--csv=d', '--debug',
    ); // prettier-ignore
      const names = COMMANDS.map(({ name }) => name);
      let read = 0;
      let explained = 0;
      fc.assert(
        fc.property(fc.constantFrom(...names), fc.array(token, { maxLength: 6 }), (name, args) => {
          const quick = readArguments(args, named(name).command);
          const line = `${name} ${args.join(' ')}`;
          if (quick !== null) {
            read++;
            expect(set(quick), line).to.deep.equal(byYargs(args, name));
          } else if (!args.some((arg) => isOfYargs(arg, name))) {
            // Whatever yargs would take was read without it.
            explained++;
            expect(byYargs(args, name), line).to.equal(null);
          }
        }),
        { numRuns: 1000 },
      );
      expect(Math.min(read, explained)).to.be.greaterThan(30);
    });
  });

  describe('wrong usage', () => {
    const message = (name: string, ...args: string[]): string => {
      const { entry, command } = named(name);
      expect(readArguments(args, command)).to.equal(null);
      try {
        readCommand(args, entry, command);
      } catch (error) {
        if (error instanceof UsageError) return error.message;
        throw error;
      }
      return 'was accepted';
    };

    it('says what is missing or too much', () => {
      expect(message('analyze')).to.equal('Something is missing. Usage: dumpleak analyze <dump>');
      expect(message('search')).to.equal('Something is missing. Usage: dumpleak search <dump> [tag]');
      expect(message('info', 'a', 'b')).to.equal('"b" is one word too many. Usage: dumpleak info <dump>');
    });

    it('says which option was meant', () => {
      expect(message('analyze', 'a', '--jsno')).to.equal('There is no option --jsno. Did you mean --json?');
      expect(message('analyze', '--jsno', 'a')).to.equal('There is no option --jsno. Did you mean --json?');
      expect(message('analyze', 'a', '--fail-on-leek=1')).to.match(/--fail-on-leek\. Did you mean --fail-on-leak\?$/);
      expect(message('analyze', 'a', '-json')).to.equal('There is no option -json. Did you mean --json?');
      expect(message('vm', 'a', '--no-colour')).to.equal('There is no option --no-colour. Did you mean --no-color?');
      expect(message('vm', 'a', '--xyzzy')).to.equal('There is no option --xyzzy');
      expect(message('vm', 'a', '-z')).to.equal('There is no option -z');
      expect(message('info', 'a', '--', '--xyzzy')).to.match(/one word too many/);
    });

    it('knows no word and no option that only the language has', async () => {
      for (const word of ['constructor', 'toString', '__proto__']) {
        expect(message('analyze', 'a', `--${word}`)).to.equal(`There is no option --${word}`);
        expect(await runHere([word])).to.deep.include({ code: 64, stdout: '' });
        expect((await runHere(['vm', word])).stderr).to.equal(`dumpleak: ${word}: no such file\n`);
        expect((await runHere(['history', word])).stderr).to.include(`"${word}" is no command of history`);
      }
    });

    it('says that an option is given twice', () => {
      expect(message('analyze', 'a', '--tag', 'x', '--tag=y')).to.equal('--tag is given twice');
    });

    it('says what is wrong with a value', () => {
      expect(message('analyze', 'a', '--pool', 'both')).to.equal(
        'Wrong value: --pool: "both" is none of "nonpaged", "paged"',
      );
      expect(message('analyze', 'a', '--top')).to.equal('Option --top wants a value');
      for (const value of ['0', '-1', 'x', '1.5', '1e99']) {
        expect(message('analyze', 'a', '--top', value), value).to.equal('--top wants a number of rows, 1 or more');
      }
    });
  });
});
