/**
 * Access tokens and logon sessions. A token proves itself by its logon session, which has the same id; a session by its id,
 * its count of references and two names that are text.
 */

import { u64 } from '../../../../parsers/bytes/fields.js';
import type { StructLayout } from '../../../../parsers/kernel/layout.js';
import { rootsWithin } from '../../objects/roots.js';
import { accountIn, TokenReader, type Token } from '../../objects/names/tokens.js';
import { plus } from '../../../../parsers/addresses.js';
import { toVirtual } from '../../../../parsers/heap/memory.js';
import type { KeptBlock } from '../blocks/sample.js';
import type { Decoder, Recognized } from './recognized.js';
import { Fields, type ContentWorld } from './world.js';

/** Object headers and their optional ones take so many bytes at most. */
const LAST_START = 0x120;
const MOST_REFERENCES = 10_000_000;

/** Recognizes access tokens. */
export class TokenDecoder implements Decoder {
  readonly kind = 'Token';
  readonly plural = 'access tokens';
  private readonly readers = new Map<StructLayout, TokenReader | null>();

  constructor(private readonly world: ContentWorld) {}

  read({ address, data }: KeptBlock): Recognized | null {
    const { pointerSize } = this.world;
    for (let at = 0; at <= LAST_START && at < data.length; at += 8) {
      for (const { value, source } of this.world.layoutsOf('_TOKEN')) {
        const token = new Fields(value, data, at, pointerSize);
        const type = token.u32('TokenType');
        if ((type !== 1 && type !== 2) || !this.world.isKernelPointer(token.pointer('LogonSession'))) continue;
        const found = this.readerOf(value)?.read(plus(toVirtual(address), at));
        // Without an account the session has another id, or is none.
        if (found !== null && found !== undefined && found.account !== null) return { ...describeToken(found), source };
      }
    }
    return null;
  }

  private readerOf(layout: StructLayout): TokenReader | null {
    let reader = this.readers.get(layout);
    if (reader === undefined) {
      const roots = rootsWithin(this.world.kernel);
      const own = { value: layout, source: 'nearest' } as const;
      const layouts = {
        layout: (type: string) => (type === '_TOKEN' ? own : (this.world.layoutsOf(type)[0] ?? null)),
      };
      reader = roots === null ? null : new TokenReader(roots, layouts);
      this.readers.set(layout, reader);
    }
    return reader;
  }
}

function describeToken({ account, user, madeBy, isPrimary, inUse }: Token): Omit<Recognized, 'source'> {
  const who = account ?? user;
  return {
    leads: who === null ? [] : [{ how: 'of', name: who }],
    traits: [
      ...(isPrimary === null ? [] : [isPrimary ? 'primary' : 'impersonation']),
      ...(inUse === false ? ['not in use'] : []),
      ...(/^[\x21-\x7e]{2,8}$/.test(madeBy) ? [`made by ${madeBy}`] : []),
    ],
    driver: null,
  };
}

/** Recognizes logon sessions. */
export class LogonSessionDecoder implements Decoder {
  readonly kind = 'logon session';
  readonly plural = 'logon sessions';

  constructor(private readonly world: ContentWorld) {}

  read({ data }: KeptBlock): Recognized | null {
    const { world } = this;
    for (const { value, source } of world.layoutsOf('_SEP_LOGON_SESSION_REFERENCES')) {
      const session = new Fields(value, data, 0, world.pointerSize);
      const [idAt, count] = [session.place('LogonId', 8), session.u32('ReferenceCount')];
      if (idAt === null || count === null || count === 0 || count > MOST_REFERENCES) continue;
      if (!world.isLink(session.pointer('Next')) || session.pointer('Token') === null) continue;
      const id = u64(data, idAt);
      const account = id === 0n ? null : accountIn(world.memory, value, data, id);
      if (account !== null) return { leads: [{ how: 'of', name: account }], traits: [], driver: null, source };
    }
    return null;
  }
}
