/** One HTTP symbol server during one run: where it keeps a file, when it is asked again, and what it is known not to have. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpClient } from './http-client.js';
import type { HttpAnswer, HttpRequest } from './http-types.js';
import { HttpFailure } from './http-failure.js';
import { storeParts } from '../local.js';
import { compressedName } from '../names.js';
import type { SymbolRequest } from './request.js';
import type { ServerAddress } from './server-address.js';

/** Milliseconds before the second and the third attempt; a part is added by chance, so that many do not come at once. */
export const RETRY_DELAYS: readonly number[] = [300, 1500];

/** Longest wait, in milliseconds, that a server may ask for. */
const LONGEST_WAIT = 10_000;

/** Requests in a row that may fail before the server is left alone. */
const MOST_FAILURES = 2;

const COUNTED = new Set(['connect', 'timeout', 'broken', 'busy']);

/** A file that the server may have. */
export interface ServerFile {
  readonly url: URL;
  readonly form: 'file' | 'compressed' | 'pointer';
  readonly layout: Layout;
}

/** How a server lays out and spells its files. */
interface Layout {
  readonly twoTier: boolean;
  readonly lowerCase: boolean;
}

export class SymbolServer {
  /** Why the server is not asked any more, or null. */
  down: string | null = null;
  private readonly absent = new Map<string, HttpAnswer>();
  private failures = 0;
  /** What the first file found had; servers do not mix. */
  private layout: Layout | null = null;
  private twoTier: Promise<boolean> | null = null;

  constructor(
    readonly address: ServerAddress,
    private readonly client: HttpClient,
    private readonly delays: readonly number[] = RETRY_DELAYS,
  ) {}

  /**
   * Where the file may be, in the order of asking: file, compressed file, `file.ptr`; then in lower case, as servers
   * that tell cases apart want it; then, where the server has an `index2.txt`, in two tiers.
   */
  async *files(request: SymbolRequest): AsyncGenerator<ServerFile> {
    const known = this.layout;
    if (known !== null) {
      yield* this.inLayout(request, known);
      return;
    }
    for (const lowerCase of [false, true]) yield* this.inLayout(request, { twoTier: false, lowerCase });
    if (!(await this.hasTwoTiers())) return;
    for (const lowerCase of [false, true]) yield* this.inLayout(request, { twoTier: true, lowerCase });
  }

  /** Remembers that a file was found in this layout. */
  found(file: ServerFile): void {
    this.layout ??= file.layout;
  }

  /** Asks for a file of this server, again where that may help. What is not there is remembered; a failure is a value. */
  async ask(url: URL, request: Omit<HttpRequest, 'authorization'>): Promise<HttpAnswer | HttpFailure> {
    const known = this.absent.get(url.href);
    if (known !== undefined) return known;
    if (this.down !== null) return new HttpFailure('refused', this.down);
    const { authorization } = this.address;
    for (let attempt = 0; ; attempt++) {
      try {
        const answer = await this.client.send(url, { ...request, authorization });
        this.failures = 0;
        if (!answer.found) this.absent.set(url.href, answer);
        return answer;
      } catch (error) {
        if (!(error instanceof HttpFailure)) throw error;
        const delay = this.delays[attempt];
        const wait = Math.max(delay ?? 0, error.retryAfter ?? 0);
        if (!error.again || delay === undefined || wait > LONGEST_WAIT) return this.failed(error);
        // Ended early, the next attempt says that it was cancelled.
        await sleep(wait * (1 + Math.random() / 4), undefined, { signal: this.client.signal }).catch(() => undefined);
      }
    }
  }

  private failed(failure: HttpFailure): HttpFailure {
    if (COUNTED.has(failure.code)) this.failures++;
    if (failure.hopeless || this.failures >= MOST_FAILURES) this.down ??= `not asked again: ${failure.message}`;
    return failure;
  }

  private *inLayout(request: SymbolRequest, layout: Layout): Generator<ServerFile> {
    const spell = (text: string): string => (layout.lowerCase ? text.toLowerCase() : text);
    const folder = storeParts(request, layout.twoTier).map(spell);
    const plain = storeParts(request, layout.twoTier);
    if (layout.lowerCase && this.layout === null && folder.every((part, i) => part === plain[i])) return;
    const at = (name: string): URL => this.address.file(...folder, name);
    yield { url: at(spell(request.name)), form: 'file', layout };
    const compressed = compressedName(spell(request.name));
    if (compressed !== null) yield { url: at(compressed), form: 'compressed', layout };
    yield { url: at('file.ptr'), form: 'pointer', layout };
  }

  private hasTwoTiers(): Promise<boolean> {
    this.twoTier ??= this.ask(this.address.file('index2.txt'), { method: 'HEAD', target: null }).then(
      (answer) => !(answer instanceof HttpFailure) && answer.found,
    );
    return this.twoTier;
  }
}
