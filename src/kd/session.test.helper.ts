/** Sessions over built dumps, for tests: what a line prints, and how it ended. */

import { buildDump, type Scenario } from '../../test-dumps/build-dump.js';
import { openBuilt } from '../analysis/whole-dumps/truth.test.helper.js';
import type { OpenedDump } from '../kernel/open/opened-dump.js';
import { TagDescriptions } from '../kernel/pool/tag-descriptions.js';
import { Interpreter, type LineEnd } from './interpreter.js';
import { KdError } from './kd-error.js';
import { KD } from './registry.js';
import { Session, type SessionHost } from './session.js';

/** A console that records, without files. */
class RecordingHost implements SessionHost {
  text = '';
  log: string | null = null;
  symbolPath = '';
  /** Pieces after which the user stops. */
  patience = Infinity;
  readonly scripts = new Map<string, string>();

  async write(text: string): Promise<void> {
    this.text += text;
    return Promise.resolve();
  }
  stopped(): boolean {
    return this.patience-- <= 0;
  }
  openLog(path: string): void {
    this.log = path;
  }
  closeLog(): string | null {
    const path = this.log;
    this.log = null;
    return path;
  }
  readScript(path: string): string {
    const text = this.scripts.get(path);
    if (text === undefined) throw new KdError(`${path} cannot be read`, 'input');
    return text;
  }
  async openSymbols(path: string): Promise<null> {
    this.symbolPath = path;
    return Promise.resolve(null);
  }
}

/** A session whose output is kept. */
export interface TestSession {
  readonly session: Session;
  readonly host: RecordingHost;
  /** What a line prints. */
  print(line: string): Promise<string>;
  /** How a line ends. */
  end(line: string): Promise<LineEnd>;
}

/** Over an open dump. */
export function sessionOver(opened: OpenedDump): TestSession {
  const host = new RecordingHost();
  const lists = { descriptions: new TagDescriptions(), warnings: [] };
  const session = new Session({ catalog: KD, opened, lists, symbols: null, host });
  const interpreter = new Interpreter(session);
  const end = async (line: string): Promise<LineEnd> => {
    host.text = '';
    return interpreter.line(line);
  };
  return {
    session,
    host,
    end,
    print: async (line) => {
      await end(line);
      return host.text;
    },
  };
}

/** Over a dump that is built. */
export const sessionOf = (scenario: Scenario): TestSession => sessionOver(openBuilt(buildDump(scenario)));
