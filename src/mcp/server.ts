/**
 * The Model Context Protocol server: tools that ask dumps, read-only and offline, over any transport. What is asked runs in
 * processes of its own, at most two at a time.
 */

import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import {
  CallToolRequestSchema,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
  type CallToolResult,
} from '@modelcontextprotocol/sdk/types.js';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { printable } from '../../parsers/text-safety.js';
import { readPackageFile } from '../../symbols/package-root.js';
import { Names, type Redactor } from '../redact/redactor.js';
import { VERSION } from '../version.js';
import { MARK, pageOf } from './answer.js';
import { runProgram, type ChildLimits } from './child.js';
import { DUMP_TOOLS } from './dump-tools.js';
import type { Folders } from './folders.js';
import { history } from './history-tool.js';
import { kd } from './kd-tool.js';
import { ToolError } from './tool-error.js';
import type { Place, Tool, Words } from './tool.js';

export interface ServerOptions extends ChildLimits {
  readonly folders: Folders;
  readonly redactor: Redactor | null;
  /** Path of the program, which answers questions in a process of its own. */
  readonly program: string;
}

const TOOLS: readonly Tool[] = [...DUMP_TOOLS, history, kd];

/** Questions that are worked on at a time. */
const AT_ONCE = 2;
/** Between two messages of progress, in milliseconds. */
const BEAT = 1000;
/** Analyses that are kept: their parts are asked for one after the other. */
const KEPT = 4;

const INSTRUCTIONS = `Reads Windows kernel crash dumps: what leaks pool memory, and which driver is behind it. Begin with list_dumps, then analyze. Name a driver only with the confidence that the answer gives; "not decided" is an answer. ${MARK}`;

/** A server that is to be connected to a transport. */
export function createServer(options: ServerOptions): McpServer {
  const { folders, redactor, program, timeoutMs, memoryBytes } = options;
  const whole = new McpServer(
    { name: 'dumpleak', version: VERSION },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
  );
  // Below it, for the schemas are made of that of the result and not of types.
  const { server } = whole;
  const described = TOOLS.map((tool) => ({ tool, ...schemasOf(tool) }));
  const ajv = new Ajv2020({ strict: false });
  const checks = new Map<string, ValidateFunction>(described.map(({ tool, input }) => [tool.name, ajv.compile(input)]));
  const slots = new Slots(AT_ONCE);
  const kept = new Map<string, string>();
  const run: Place['run'] = async (args, signal) => {
    const key = args[0] === 'analyze' ? JSON.stringify(args) : null;
    const known = key === null ? undefined : kept.get(key);
    if (known !== undefined) return known;
    const text = await slots.use(signal, async () => runProgram(args, { program, signal, timeoutMs, memoryBytes }));
    if (key !== null) {
      kept.set(key, text);
      for (const [oldest] of kept) if (kept.size > KEPT) kept.delete(oldest);
    }
    return text;
  };
  const place: Place = { folders, redactor, run };

  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: described.map(({ tool: { name, title, description }, input, output }) => ({
      ...{ name, title, description, inputSchema: input, outputSchema: output },
      annotations: { title, readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    })),
  }));

  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal, sendNotification }): Promise<CallToolResult> => {
    const tool = TOOLS.find(({ name }) => name === params.name);
    const check = checks.get(params.name);
    if (tool === undefined || check === undefined) throw new McpError(ErrorCode.InvalidParams, `no tool ${printable(params.name)}`); // prettier-ignore
    const words = (params.arguments ?? {}) as Words;
    if (!check(words)) {
      const why = check.errors?.map(({ instancePath, message }) => `${instancePath.slice(1)} ${message ?? ''}`.trim()).join('; '); // prettier-ignore
      throw new McpError(ErrorCode.InvalidParams, printable(why ?? 'wrong words'));
    }
    const token = params._meta?.progressToken;
    const begun = performance.now();
    const beat = token === undefined ? undefined : setInterval(() => {
      const seconds = Math.round((performance.now() - begun) / 1000);
      const message = `${tool.name}: reading the dump, ${seconds} s`;
      // Whoever is gone hears nothing, and its request is cancelled.
      sendNotification({ method: 'notifications/progress', params: { progressToken: token, progress: seconds, message } }).catch(() => undefined);
    }, BEAT);
    try {
      const { cursor, ...asked } = words;
      const found = await tool.answer(asked, place, signal);
      const { answer, text } = pageOf(found, [tool.name, asked], cursor === undefined ? undefined : String(cursor));
      return { content: [{ type: 'text', text }], structuredContent: answer };
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      return { isError: true, content: [{ type: 'text', text: printable(withoutNames(error.message, redactor, folders, words)) }] }; // prettier-ignore
    } finally {
      clearInterval(beat);
    }
  }); // prettier-ignore
  return whole;
}

/** Messages of the program name the file. */
function withoutNames(message: string, redactor: Redactor | null, folders: Folders, { dump }: Words): string {
  if (redactor === null) return message;
  const names = new Names(redactor);
  try {
    if (dump !== undefined) names.learnFile('dump', folders.dump(String(dump)).path);
  } catch {
    // It is none: the message is about that.
  }
  return names.text(message);
}

interface Schemas {
  readonly input: { type: 'object'; [name: string]: unknown };
  readonly output: { type: 'object'; [name: string]: unknown };
}

/** The schemas of a tool. What a row is follows from the schema of the result. */
function schemasOf({ takes, required = [], row, facts }: Tool): Schemas {
  const cursor = { type: 'string', maxLength: 40, description: 'nextCursor of the answer before, for more rows' };
  const text = JSON.stringify([row ?? {}, facts ?? {}]);
  const definitions = text.includes('#/$defs/') ? definitionsFor(text) : null;
  return {
    input: {
      ...{ type: 'object', properties: { ...takes, cursor } },
      ...{ required: [...required], additionalProperties: false },
    },
    output: {
      type: 'object',
      properties: {
        facts: facts ?? { type: 'object' },
        rows: { type: 'array', items: row ?? { type: 'object' } },
        total: { type: ['integer', 'null'] },
        nextCursor: { type: ['string', 'null'] },
        notes: { type: 'array', items: { type: 'string' } },
      },
      required: ['facts', 'rows', 'total', 'nextCursor', 'notes'],
      ...(definitions === null ? {} : { $defs: definitions }),
    },
  };
}

/** What a schema refers to, and what that refers to. */
function definitionsFor(text: string): Record<string, unknown> {
  const { $defs } = JSON.parse(readPackageFile('docs', 'result.schema.json').toString('utf8')) as {
    $defs: Record<string, unknown>;
  };
  const found = new Map<string, unknown>();
  const take = (from: string): void => {
    for (const [, name = ''] of from.matchAll(/#\/\$defs\/(\w+)/g)) {
      if (found.has(name)) continue;
      const definition = withoutWords($defs[name]);
      found.set(name, definition);
      take(JSON.stringify(definition));
    }
  };
  take(text);
  return Object.fromEntries(found);
}

/** A schema without what is for people: a client reads the list of tools whole. */
function withoutWords(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutWords);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).filter(([name, value]) => name !== 'description' || typeof value !== 'string');
  return Object.fromEntries(entries.map(([name, value]) => [name, withoutWords(value)]));
}

/** Lets so many work at a time; the others wait, and leave when they are cancelled. */
class Slots {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(count: number) {
    this.free = count;
  }

  async use<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (this.free === 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.free--;
    try {
      if (signal.aborted) throw new ToolError('cancelled');
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.free++;
      else next();
    }
  }
}
