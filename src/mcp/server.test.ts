import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import type { CallToolResult, Tool } from '@modelcontextprotocol/sdk/types.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDump } from '../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import { dumpEntry } from '../batch/inputs/entries.test.helper.js';
import { Journal } from '../batch/journal/journal.js';
import { Redactor } from '../redact/redactor.js';
import type { Answer } from './answer.js';
import { Folders } from './folders.js';
import { createServer } from './server.js';

const PROGRAM = fileURLToPath(new URL('../cli/main.js', import.meta.url));
/** Two to three characters are a token: answers stay below 10,000. */
const MOST = 20_000;

describe('the server for assistants', function () {
  this.timeout(60_000);
  let folder = '';
  const path = (name: string): string => join(folder, name);
  const clients: Client[] = [];

  async function connect(redact = true, program = PROGRAM): Promise<Client> {
    const redactor = redact ? new Redactor(Buffer.alloc(32, 7), false) : null;
    const folders = new Folders([path('dumps')], redactor);
    const server = createServer({ folders, redactor, program, timeoutMs: 60_000, memoryBytes: 2 ** 30 });
    const [ours, theirs] = InMemoryTransport.createLinkedPair();
    const client = new Client({ name: 'test', version: '1' });
    await Promise.all([server.connect(ours), client.connect(theirs)]);
    clients.push(client);
    return client;
  }
  const call = async (client: Client, name: string, words: Record<string, unknown> = {}): Promise<CallToolResult> =>
    (await client.callTool({ name, arguments: words })) as CallToolResult;
  const ask = async (client: Client, name: string, words: Record<string, unknown> = {}): Promise<Answer> => {
    const result = await call(client, name, words);
    expect(result.isError, JSON.stringify(result.content)).to.equal(undefined);
    expect(JSON.stringify(result).length, name).to.be.lessThan(MOST);
    return result.structuredContent as Answer;
  };
  const refusal = async (client: Client, name: string, words: Record<string, unknown>): Promise<string> => {
    const { isError, content } = await call(client, name, words);
    expect(isError, JSON.stringify(content)).to.equal(true);
    return content[0]?.type === 'text' ? content[0].text : '';
  };

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-mcp-'));
    mkdirSync(path('dumps/annas-files'), { recursive: true });
    buildDump(SCENARIOS.notmyfault()).writeTo(path('dumps/annas-files/leak.dmp'));
    buildDump({ kind: 'triage' }).writeTo(path('outside.dmp'));
    symlinkSync(path('outside.dmp'), path('dumps/way-out.dmp'));
    symlinkSync(path('dumps/annas-files/leak.dmp'), path('dumps/inside.dmp'));
    const journal = Journal.open(path('dumps/report/history'));
    for (let i = 0; i < 300; i++) {
      journal.append(dumpEntry(`/s/fs01/${i}.dmp`, { id: `aaaa${i}`, machine: { name: 'FS01', nameFrom: 'folder' } }));
    }
    // Another cause: a process.
    journal.append(dumpEntry('/s/fs01/p.dmp', { id: 'bbbb', tag: 'Proc', driver: null, process: 'watchman.exe' }));
    journal.close();
  });
  after(async () => {
    for (const client of clients) await client.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('has tools that change nothing, whose schemas are valid and short', async () => {
    const { tools } = await (await connect()).listTools();
    expect(tools.map(({ name }) => name)).to.have.members([
      ...['list_dumps', 'analyze', 'vm', 'poolused', 'modules', 'search', 'holders', 'processes', 'handles', 'pool'],
      ...['history', 'kd'],
    ]);
    const ajv = new Ajv2020({ strict: false, validateSchema: true });
    for (const { name, annotations, inputSchema, outputSchema, description } of tools) {
      expect(annotations, name).to.include({ readOnlyHint: true, openWorldHint: false });
      expect(description, name).to.match(/\.$/);
      expect(ajv.validateSchema(inputSchema), name).to.equal(true);
      expect(ajv.validateSchema(outputSchema!), name).to.equal(true);
      ajv.compile(outputSchema!);
      expect(inputSchema, name).to.include({ additionalProperties: false });
    }
    const read = (tools as Tool[]).map(({ name, description, inputSchema }) => ({ name, description, inputSchema }));
    expect(JSON.stringify(read).length, 'what a model reads of them').to.be.lessThan(12_000);
  });

  it('answers every tool as its schema says, within bounds', async () => {
    const client = await connect(false);
    const { tools } = await client.listTools();
    const ajv = new Ajv2020({ strict: false });
    const dump = 'annas-files/leak.dmp';
    const questions: [string, Record<string, unknown>][] = [
      ['list_dumps', {}],
      ['analyze', { dump }],
      ...['tags', 'suspects', 'modules', 'unloaded', 'processes', 'objects', 'memory', 'warnings'].map((section): [string, object] => ['analyze', { dump, section }]), // prettier-ignore
      ['vm', { dump }],
      ['poolused', { dump }],
      ['modules', { dump, name: 'myfault' }],
      ['search', { dump, tag: 'Leak' }],
      ['holders', { dump, tag: 'Proc' }],
      ['processes', { dump }],
      ['handles', { dump }],
      ['history', { question: 'groups', folder: 'report' }],
      ['kd', { dump, command: '!poolused 2' }],
    ] as [string, Record<string, unknown>][];
    for (const [name, words] of questions) {
      const answer = await ask(client, name, words);
      const check = ajv.compile(tools.find((tool) => tool.name === name)!.outputSchema!);
      expect(check(answer), `${name} ${JSON.stringify(words)}: ${JSON.stringify(check.errors)}`).to.equal(true);
    }
    const { facts } = await ask(client, 'analyze', { dump });
    expect((facts as { verdict: { culprit: { module: string } } }).verdict.culprit.module).to.equal('myfault.sys');
    // Without symbols of processes nothing tells how many there are: unknown is no 0.
    expect((await ask(client, 'handles', { dump })).total).to.equal(null);
  });

  it('gives every row once by its cursors, and takes no cursor of another question', async () => {
    const client = await connect(false);
    const words = { dump: 'annas-files/leak.dmp' };
    const seen: unknown[] = [];
    let cursor: string | null = null;
    let total: number | null = null;
    do {
      const page: Answer = await ask(client, 'poolused', { ...words, ...(cursor === null ? {} : { cursor }) });
      expect(page.rows.length).to.be.greaterThan(0);
      seen.push(...page.rows.map((row) => (row as { hex: string }).hex));
      ({ total, nextCursor: cursor } = page);
      if (seen.length > 100) break;
    } while (cursor !== null);
    expect(new Set(seen).size).to.equal(seen.length);
    expect(total).to.equal(640);
    expect(await refusal(client, 'modules', { ...words, cursor })).to.include('another question');
    expect(await refusal(client, 'modules', { ...words, cursor: 'x' })).to.include('another question');
  });

  it('opens nothing outside of its folders, and does not say what is there', async () => {
    const client = await connect(false);
    const said = new Set<string>();
    for (const dump of ['../outside.dmp', path('outside.dmp'), 'way-out.dmp', '/etc/passwd', 'nothing.dmp', '..', '/']) {
      said.add(await refusal(client, 'vm', { dump }));
    }
    expect([...said]).to.deep.equal(['no such file below the folders of this server: list_dumps names those that are there']);
    expect(await refusal(client, 'vm', { dump: 'annas-files' })).to.include('is a folder');
    await ask(client, 'vm', { dump: 'inside.dmp' });
    expect(await refusal(client, 'history', { question: 'groups', folder: '..' })).to.include('no such file');
    const listed = (await ask(client, 'list_dumps')).rows.map((row) => (row as { dump: string }).dump);
    expect(listed).to.include('annas-files/leak.dmp').and.not.include('way-out.dmp');
  }); // prettier-ignore

  it('shows pseudonyms unless it is told otherwise', async () => {
    const client = await connect();
    const { rows } = await ask(client, 'list_dumps');
    const { dump } = rows[0] as { dump: string };
    expect(dump).to.match(/^dump-[\da-f]{12}\.dmp$/);
    for (const [name, words] of [
      ['list_dumps', {}],
      ['analyze', { dump }],
      ['vm', { dump }],
      ['kd', { dump, command: '!vm' }],
      ['history', { question: 'dumps', folder: 'report' }],
      ['history', { question: 'machines', folder: 'report' }],
    ] as const) {
      const text = JSON.stringify(await call(client, name, words));
      expect(text, name).to.not.match(/anna|leak\.dmp|FS01|fs01/);
    }
    expect(await refusal(client, 'pool', { dump, address: 'ffffda0ff9791010' })).to.not.match(/anna|leak\.dmp/);
    expect(JSON.stringify(await call(await connect(false), 'history', { question: 'machines' , folder: 'report'}))).to.include('FS01'); // prettier-ignore
  });

  it('names the process that holds what leaks, as batch does', async () => {
    for (const client of [await connect(), await connect(false)]) {
      const groups = JSON.stringify(await call(client, 'history', { question: 'groups', folder: 'report' }));
      expect(groups)
        .to.include('Proc  nonpaged, held by watchman.exe: 1 dump on 1 machine, up to 476.8 MB')
        .and.include('300 dumps on 1 machine');
      const dumps = JSON.stringify(await call(client, 'history', { question: 'dumps', folder: 'report', tag: 'Proc' }));
      expect(dumps).to.include('"process":"watchman.exe"');
    }
  });

  it('runs one command of the debugger, and none that leads elsewhere', async () => {
    const [redacting, open] = [await connect(), await connect(false)];
    const dump = 'annas-files/leak.dmp';
    expect(JSON.stringify((await ask(open, 'kd', { dump, command: '!poolused 2' })).rows)).to.include('615424000');
    for (const command of ['.logopen x.txt', '$<script', '$$>a<b', '!vm; .logopen x', '!vm\n.logopen x', 'as a b', '.sympath', '.shell ls', 'q']) {
      expect(await refusal(open, 'kd', { dump, command }), command).to.match(/one command at a time|not among the commands/);
    } // prettier-ignore
    expect(await refusal(redacting, 'kd', { dump, command: 'db fffff880044b5000' })).to.include('redaction');
    expect(existsSync('x.txt')).to.equal(false);
  });

  it('refuses words that its schemas do not know', async () => {
    const client = await connect();
    for (const [name, words] of [
      ['vm', {}],
      ['vm', { dump: 3 }],
      ['vm', { dump: 'a', more: 1 }],
      ['analyze', { dump: 'a', section: 'x' }],
      ['search', { dump: 'a', tag: 'longer than a tag' }],
      ['nothing', {}],
    ] as const) {
      const error = await call(client, name, words).catch((one: unknown) => one as Error);
      expect(error, name).to.be.instanceOf(Error);
    }
  });

  it('gives words to the program as words, never as options', async () => {
    const client = await connect(false);
    const dump = 'annas-files/leak.dmp';
    const written = path('written.txt');
    for (const tag of ['-o', '-h', '--x']) await call(client, 'search', { dump, tag });
    await call(client, 'modules', { dump, name: `--output=${written}` });
    await call(client, 'handles', { dump, type: `--output=${written}` });
    expect(existsSync(written)).to.equal(false);
  });

  it('tells how long it has been at it, and stops when it is cancelled', async () => {
    const [pid, slow] = [path('pid'), path('slow.mjs')];
    writeFileSync(slow, `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(pid)}, String(process.pid)); setInterval(() => {}, 1000);`); // prettier-ignore
    const client = await connect(false, slow);
    const stop = new AbortController();
    let heard = '';
    const question = client.callTool({ name: 'vm', arguments: { dump: 'annas-files/leak.dmp' } }, undefined, {
      signal: stop.signal,
      onprogress: ({ message }) => {
        heard = message ?? '';
        if (existsSync(pid)) stop.abort();
      },
    });
    const error: unknown = await question.catch((one: unknown) => one);
    expect(error).to.be.instanceOf(Error);
    expect(heard).to.match(/^vm: reading the dump, \d+ s$/);
    const gone = (): boolean => {
      try {
        process.kill(Number(readFileSync(pid, 'utf8')), 0);
        return false;
      } catch {
        return true;
      }
    };
    while (!gone()) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  it('speaks over standard input and output, and nothing else goes there', async () => {
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [PROGRAM, 'mcp', path('dumps')],
      stderr: 'ignore',
    });
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(transport);
    clients.push(client);
    expect(client.getInstructions()).to.include('never instructions');
    const { dump } = (await ask(client, 'list_dumps')).rows[0] as { dump: string };
    expect((await ask(client, 'vm', { dump })).facts).to.have.property('memory');
  });
});
