/** MASM expressions: what the debugger reads in numbers and operators, and that no text breaks the reader. */

import { expect } from 'chai';
import fc from 'fast-check';
import { KdError } from '../kd-error.js';
import { evaluate, type Environment } from './evaluate.js';
import { parseExpression } from './parse.js';
import { lengthAt } from './ranges.js';
import type { Radix } from './tokens.js';

const NAMES = new Map([
  ['nt', 0xfffff80000000000n],
  ['nt!PoolTrackTable', 0xfffff80000123450n],
  ['rdr!Class::Method', 0x1000n],
  ['add1x', 0x77n],
]);

const environment: Environment = {
  pointerSize: 8,
  symbol: async (name) => Promise.resolve(NAMES.get(name) ?? null),
  register: (name) => (name === '$t1' ? 0x55n : name === 'rax' ? 7n : null),
  // Each byte is the low byte of its address.
  read: (address, bytes, physical) => {
    if (address === 0xdeadn) return null;
    let value = 0n;
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | ((address + BigInt(i)) & 0xffn);
    return physical ? value ^ 0xffn : value;
  },
};

async function value(text: string, radix: Radix = 16): Promise<bigint> {
  return evaluate(parseExpression(text, radix).node, text, environment);
}

async function failure(text: string): Promise<string> {
  try {
    return `no failure: ${await value(text)}`;
  } catch (error) {
    if (error instanceof KdError) return error.message;
    throw error;
  }
}

describe('MASM expressions', () => {
  const CASES: readonly (readonly [string, bigint])[] = [
    ['10', 0x10n],
    ['0n10', 10n],
    ['0t17', 0o17n],
    ['0y1011', 11n],
    ['0x1f', 0x1fn],
    ['1fh', 0x1fn],
    ['fffff880`044b63aa', 0xfffff880044b63aan],
    ['0xfffff880`044b63aa', 0xfffff880044b63aan],
    ['add', 0xaddn],
    ['add1x', 0x77n],
    ['nt', 0xfffff80000000000n],
    ['nt!PoolTrackTable', 0xfffff80000123450n],
    ['nt!PoolTrackTable+8', 0xfffff80000123458n],
    ['rdr!Class::Method + 1', 0x1001n],
    ['@rax', 7n],
    ['@$t1', 0x55n],
    ['$t1+1', 0x56n],
    ['1+2*3', 7n],
    ['(1+2)*3', 9n],
    ['10-4-2', 0xan],
    ['100/10*2', 0x20n],
    ['7 mod 4', 3n],
    ['7%4', 3n],
    ['1<<4+1', 32n],
    ['-1', 0xffffffffffffffffn],
    ['0-1>>>4', 0xffffffffffffffffn],
    ['0-1>>4', 0x0fffffffffffffffn],
    ['1 << 40', 0n],
    ['1<2', 1n],
    ['2<1', 0n],
    ['1<2 and 3', 1n],
    ['1 or 2 xor 3', 1n],
    ['6 and 3 or 8', 0xan],
    ['6&3|8', 0xan],
    ['5 = 5', 1n],
    ['5 == 6', 0n],
    ['5 != 6', 1n],
    ['5!=6', 1n],
    ['not 0', 1n],
    ['not 5', 0n],
    ['by(100)', 0n],
    ['by 101', 1n],
    ['wo(100)', 0x0100n],
    ['dwo(100)', 0x03020100n],
    ['qwo(100)', 0x0706050403020100n],
    ['poi(100)', 0x0706050403020100n],
    ['poi 100 + 1', 0x0706050403020101n],
    ['poi(100+1)+1', 0x0807060504030202n],
    ['by(by(101))', 1n],
    ['$pby(0)', 0xffn],
    ['hi 12345678', 0x1234n],
    ['low 12345678', 0x5678n],
    ["'H'", 0x48n],
    ['5 - -3', 8n],
  ];
  for (const [text, expected] of CASES) {
    it(`${text} is ${expected.toString(16)}`, async () => {
      expect(await value(text)).to.equal(expected);
    });
  }

  it('takes numbers in the radix that is set', async () => {
    expect(await value('17', 10)).to.equal(17n);
    expect(await value('17', 8)).to.equal(15n);
    expect(await value('0x17', 10)).to.equal(23n);
    expect(await value('17h', 10)).to.equal(23n);
  });

  it('reads pointers as wide as the target', async () => {
    const narrow: Environment = { ...environment, pointerSize: 4 };
    expect(await evaluate(parseExpression('poi(100)', 16).node, 'poi(100)', narrow)).to.equal(0x03020100n);
  });

  it('ends where no more of it can follow', () => {
    const rest = (text: string): string => text.slice(parseExpression(text, 16).end);
    expect(rest('1000 L4')).to.equal(' L4');
    expect(rest('1000 2000')).to.equal(' 2000');
    expect(rest('nt!PoolTrackTable l20')).to.equal(' l20');
    expect(rest('1000 "text"')).to.equal(' "text"');
    expect(rest('1000 -8')).to.equal('');
    expect(rest('poi(10) L?100')).to.equal(' L?100');
  });

  it('reads lengths', () => {
    expect(lengthAt(' L20', 0)).to.deep.equal({ from: 2, negative: false, unlimited: false });
    expect(lengthAt(' l?0x20', 0)).to.deep.equal({ from: 3, negative: false, unlimited: true });
    expect(lengthAt('L-8', 0)).to.deep.equal({ from: 2, negative: true, unlimited: false });
    expect(lengthAt(' Leak', 0)?.from ?? null).to.equal(2);
    expect(lengthAt(' 2000', 0)).to.equal(null);
  });

  it('says what it cannot read, as the debugger does', async () => {
    expect(await failure('nt!NoSuch')).to.equal("Couldn't resolve error at 'nt!NoSuch'");
    expect(await failure('1+nosuch ')).to.equal("Couldn't resolve error at 'nosuch '");
    expect(await failure('(1')).to.equal("Syntax error at ''");
    expect(await failure('1+')).to.equal("Numeric expression missing from '1+'");
    expect(await failure('')).to.equal("Numeric expression missing from ''");
    expect(await failure('@nosuch')).to.equal("Bad register error at '@nosuch'");
    expect(await failure('by(dead)')).to.equal("Memory access error at 'by(dead)'");
    expect(await failure('1/0')).to.equal("Divide by zero error at '/0'");
    expect(await failure('11111111111111111')).to.match(/^Overflow error at /);
    expect(await failure('@@c++(1)')).to.match(/^C\+\+ expressions are not here/);
  });

  it('comes to what arithmetic on 64 bits says, for any tree', async () => {
    type Tree = number | [string, Tree, Tree];
    const OPERATORS = ['+', '-', '*', '&', '|', '^', '<<', '>>'];
    const tree = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.oneof({ maxDepth: 6 }, fc.nat(), fc.tuple(fc.constantFrom(...OPERATORS), tie('tree'), tie('tree'))),
    })).tree;
    const text = (one: Tree): string =>
      typeof one === 'number' ? `0n${one}` : `(${text(one[1])} ${one[0]} ${text(one[2])})`;
    const plain = (one: Tree): bigint => {
      if (typeof one === 'number') return BigInt(one);
      const [left, right] = [plain(one[1]), plain(one[2])];
      const values: Record<string, () => bigint> = {
        '+': () => left + right,
        '-': () => left - right,
        '*': () => left * right,
        '&': () => left & right,
        '|': () => left | right,
        '^': () => left ^ right,
        '<<': () => (right > 63n ? 0n : left << right),
        '>>': () => (right > 63n ? 0n : left >> right),
      };
      return BigInt.asUintN(64, values[one[0]]!());
    };
    await fc.assert(
      fc.asyncProperty(tree, async (one) => {
        expect(await value(text(one))).to.equal(plain(one));
      }),
    );
  });

  it('gives a value or a KdError for any text, however deep', async () => {
    const unit = fc.constantFrom(...Array.from('0189afxnty`!@$#()+-*/%<>=&|^~ \'poibywmdqntr?:"{};L'));
    await fc.assert(
      fc.asyncProperty(fc.string({ unit, maxLength: 60 }), async (text) => {
        const said = await failure(text);
        expect(said).to.match(/^[^\n]+$/);
      }),
      { numRuns: 2000 },
    );
    for (const open of ['(', '-', 'poi ', 'not ']) {
      expect(await failure(open.repeat(100_000) + '1')).to.match(/^Expression too deep|^Syntax error/);
    }
    expect(await value(Array.from({ length: 20_000 }, () => '1').join('+'))).to.equal(20_000n);
  });
});
