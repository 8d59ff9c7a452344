import { expect } from 'chai';
import fc from 'fast-check';
import { hasServer, parseSymbolPath, type SymbolPath, type SymbolPathOptions } from './symbol-path.js';

const LINUX: SymbolPathOptions = { platform: 'linux', home: '/home/me', defaultCache: '/cache' };
const WINDOWS: SymbolPathOptions = { platform: 'win32', home: 'C:\\Users\\me', defaultCache: 'C:\\cache' };

/** Elements in short: `dir D:\sym`, `cache C:\c`, `chain C:\a*https://s`; the implied cache as `<default>`. */
function short(path: SymbolPath): string[] {
  return path.elements.map((element) => {
    if (element.kind !== 'chain') return `${element.kind === 'folder' ? 'dir' : 'cache'} ${element.path}`;
    const stores = element.stores.map((store) =>
      store.kind === 'server' ? store.server.text : store.implied ? '<default>' : store.path,
    );
    return `chain ${stores.join('*')}`;
  });
}

const windows = (text: string, env: Record<string, string> = {}): string[] =>
  short(parseSymbolPath(text, env, WINDOWS));
const linux = (text: string, env: Record<string, string> = {}): string[] => short(parseSymbolPath(text, env, LINUX));
const problems = (text: string, options = WINDOWS): string[] =>
  parseSymbolPath(text, {}, options).problems.map(({ element, message }) => `${element}: ${message}`);

describe('parseSymbolPath', () => {
  it('reads the forms that engineers write', () => {
    const cases: [string, string[]][] = [
      ['C:\\sym', ['dir C:\\sym']],
      ['C:\\sym;D:\\more', ['dir C:\\sym', 'dir D:\\more']],
      ['\\\\server\\share\\symbols', ['dir \\\\server\\share\\symbols']],
      ['srv*\\\\server\\symbols', ['chain \\\\server\\symbols']],
      [
        'srv*C:\\sym*https://msdl.microsoft.com/download/symbols',
        ['chain C:\\sym*https://msdl.microsoft.com/download/symbols'],
      ],
      ['SRV*c:\\a*\\\\b\\c*https://d/e/', ['chain c:\\a*\\\\b\\c*https://d/e']],
      ['srv*https://d', ['chain <default>*https://d']],
      ['srv**https://d', ['chain <default>*https://d']],
      ['srv**\\\\b\\c', ['chain <default>*\\\\b\\c']],
      ['srv*C:\\sym*', ['chain C:\\sym']],
      ['https://d/symbols', ['chain <default>*https://d/symbols']],
      ['cache*C:\\c;srv*https://d', ['cache C:\\c', 'chain https://d']],
      ['cache*;D:\\x', ['cache C:\\cache', 'dir D:\\x']],
      ['symsrv*symsrv.dll*C:\\sym*http://d', ['chain C:\\sym*http://d']],
      ['symsrv*C:\\dbg\\symsrv.dll*C:\\sym', ['chain C:\\sym']],
      ['srv*C:\\a*https://one*https://two', ['chain C:\\a*https://one*https://two']],
    ];
    for (const [text, expected] of cases) expect(windows(text), text).to.deep.equal(expected);
  });

  it('does not mind blanks, quotation marks, line ends and empty elements', () => {
    const expected = ['dir C:\\my symbols', 'chain C:\\sym*https://d'];
    for (const text of [
      '"C:\\my symbols";srv*C:\\sym*https://d',
      '"C:\\my symbols;srv*C:\\sym*https://d"',
      ' ; C:\\my symbols ;; srv * C:\\sym * https://d ;\r\n',
      'C:\\my symbols;"srv*C:\\sym*https://d',
      "'C:\\my symbols';srv*'C:\\sym'*https://d",
      'C:\\my symbols;srv*"C:\\sym"*"https://d"',
    ]) {
      expect(windows(text), text).to.deep.equal(expected);
    }
    expect(windows('')).to.deep.equal([]);
    expect(windows(' ;;" "; ')).to.deep.equal([]);
  });

  it('takes the command line first, then the alternative variable, then the usual one, then servers', () => {
    const env = { _NT_SYMBOL_PATH: '/three;/one', _NT_ALT_SYMBOL_PATH: '/two' };
    const path = parseSymbolPath(['/one', '/one/more'], env, { ...LINUX, servers: ['https://four', ' '] });
    expect(short(path)).to.deep.equal([
      'dir /one',
      'dir /one/more',
      'dir /two',
      'dir /three',
      'chain <default>*https://four',
    ]);
    expect(path.elements.map(({ origin }) => origin)).to.deep.equal([
      '--symbols',
      '--symbols',
      '_NT_ALT_SYMBOL_PATH',
      '_NT_SYMBOL_PATH',
      '--symbol-server',
    ]);
    expect(short(parseSymbolPath(null, env, LINUX))[0]).to.equal('dir /two');
  });

  it('keeps colons: drives and addresses have them, and they separate nothing', () => {
    expect(linux('/a:/b;/c')).to.deep.equal(['dir /a:/b', 'dir /c']);
    expect(linux('srv*/a:b*https://d:8443/x')).to.deep.equal(['chain /a:b*https://d:8443/x']);
  });

  it('lets a bad element not cost the others', () => {
    const path = parseSymbolPath(
      'C:\\a;foo*bar;srv*ftp://x*D:\\b;symsrv*other.dll*x;srv*https:/oops;srv*https://;E:\\c\u0001;F:\\d',
      {},
      WINDOWS,
    );
    expect(short(path)).to.deep.equal(['dir C:\\a', 'chain D:\\b', 'dir F:\\d']);
    expect(path.problems.map(({ element }) => element)).to.deep.equal([
      'foo*bar',
      'srv*ftp://x*D:\\b',
      'symsrv*other.dll*x',
      'srv*https:/oops',
      'srv*https://',
      'E:\\c\u0001',
    ]);
    expect(problems('C:\\cache*https://d')).to.deep.equal([
      'C:\\cache*https://d: C:\\cache* is not a kind of element: srv*, cache* and symsrv* are',
    ]);
  });

  it('names no server for srv* alone, and says so', () => {
    for (const text of ['srv*', 'srv**', 'SRV*;']) {
      const path = parseSymbolPath(text, {}, WINDOWS);
      expect(hasServer(path), text).to.equal(false);
      expect(path.problems[0]?.message, text).to.match(/^no server is named/);
    }
    expect(hasServer(parseSymbolPath('D:\\x;srv*C:\\c*http://d', {}, WINDOWS))).to.equal(true);
  });

  it('leaves folders of Windows alone on other systems, and uses the default cache instead', () => {
    const path = parseSymbolPath('srv*C:\\sym*https://d;\\\\server\\share;D:/x;c*d;~/sym;~', {}, LINUX);
    expect(short(path)).to.deep.equal(['chain <default>*https://d', 'dir /home/me/sym', 'dir /home/me']);
    expect(path.problems.map(({ message }) => message)).to.deep.equal([
      'C:\\sym is a Windows path, which this system cannot open',
      '\\\\server\\share is a Windows path, which this system cannot open',
      'D:/x is a Windows path, which this system cannot open',
      'c* is not a kind of element: srv*, cache* and symsrv* are',
    ]);
  });

  it('replaces %NAME% by what the environment has', () => {
    const env = { USERPROFILE: 'C:\\Users\\me' };
    expect(windows('%USERPROFILE%\\sym;%NONE%\\x', env)).to.deep.equal(['dir C:\\Users\\me\\sym', 'dir %NONE%\\x']);
  });

  it('takes only --symbol-server for addresses that are none', () => {
    const path = parseSymbolPath(null, {}, { ...LINUX, servers: ['/a/folder', 'https://good'] });
    expect(short(path)).to.deep.equal(['chain <default>*https://good']);
    expect(path.problems[0]?.message).to.equal('/a/folder is not an http:// or https:// address');
  });

  it('shows no credentials anywhere', () => {
    const secret = 'tr0ub4dor';
    const texts = [
      `srv*C:\\c*https://user:${secret}@host/sym`,
      `srv*C:\\c*https://host/sym?sig=${secret}`,
      `srv*https://user:${secret}/x@host/sym`,
      `srv*ftp://user:${secret}@host/sym`,
      `https:user:${secret}@host`,
      `x*https://u:${secret}@h`,
      `https://u:${secret}@h*x`,
      `symsrv*other.dll*https://u:${secret}@h`,
    ];
    for (const text of texts) {
      const path = parseSymbolPath(
        text,
        {},
        { ...WINDOWS, servers: [`https://u:${secret}@h`, `gopher://u:${secret}@h`] },
      );
      expect(JSON.stringify(path), text).to.not.contain(secret);
      expect(
        JSON.stringify(path.elements.map((e) => (e.kind === 'chain' ? e.stores.map(String) : ''))),
        text,
      ).to.not.contain(secret);
    }
    const [element] = parseSymbolPath(texts[0]!, {}, WINDOWS).elements;
    const server = element?.kind === 'chain' ? element.stores[1] : undefined;
    expect(server?.kind === 'server' && server.server.file('x').href).to.equal('https://host/sym/x');
    expect(server?.kind === 'server' && server.server.authorization).to.equal(
      `Basic ${Buffer.from(`user:${secret}`).toString('base64')}`,
    );
  });

  it('joins any elements it knows in their order (property)', () => {
    const name = fc.stringMatching(/^[a-z0-9][a-z0-9 ._-]{0,8}[a-z0-9]$/);
    const folder = name.map((n) => `/${n}`);
    const url = name.map((n) => `https://h/${n.replaceAll(' ', '')}`);
    const element = fc.oneof(
      folder.map((f) => [f, `dir ${f}`] as const),
      folder.map((f) => [`cache*${f}`, `cache ${f}`] as const),
      fc.tuple(folder, url).map(([f, u]) => [`srv*${f}*${u}`, `chain ${f}*${u}`] as const),
    );
    const blank = fc.constantFrom('', ' ', '"', '\t');
    fc.assert(
      fc.property(fc.uniqueArray(element, { selector: ([, e]) => e, maxLength: 8 }), blank, (elements, padding) => {
        const text = elements.map(([e]) => `${padding}${e}${padding}`).join(';');
        const path = parseSymbolPath(text, {}, LINUX);
        expect(path.problems).to.deep.equal([]);
        expect(short(path)).to.deep.equal(elements.map(([, e]) => e));
      }),
      { numRuns: 200 },
    );
  });

  it('never throws, and every part is an element or a problem (property)', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'srv',
        'cache',
        'symsrv',
        '*',
        '**',
        ';',
        'https://h',
        'http://',
        '\\\\s\\h',
        'C:\\x',
        '"',
        "'",
        '%A%',
        '~',
        '?',
        '@',
        '/',
        '\u0000',
        'symsrv.dll',
      ),
      fc.string({ maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.constantFrom(LINUX, WINDOWS), (pieces, options) => {
        const text = pieces.join('');
        const path = parseSymbolPath(text, { A: 'a;b' }, options);
        const said = text.split(';').some((part) => !/^[\s"']*$/.test(part));
        if (said) expect(path.elements.length + path.problems.length).to.be.greaterThan(0);
        for (const element of path.elements) {
          if (element.kind === 'chain') expect(element.stores).to.not.have.length(0);
          else expect(element.path).to.not.equal('');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is not read when it is longer than a variable of Windows can be', () => {
    const { elements, problems } = parseSymbolPath(`srv${'*'.repeat(40_000)}`, {}, { platform: 'linux', home: '/h' });
    expect(elements).to.deep.equal([]);
    expect(problems.map(({ message }) => message)).to.deep.equal(['a path of more than 32767 characters is not read']);
  });
});
