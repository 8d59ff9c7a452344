/** The tags of suspicious object types beside those that are suspicious by their bytes. */

import { countersOf } from '../../result/pool.js';
import { tagInWords } from '../../result/tag.js';
import { toNumber } from '../../result/result.js';
import type { Note, ObjectTypeInfo, PoolKind, PoolTagRow } from '../../result/result.js';
import type { LeakFacts } from '../facts.js';
import { isTagOf } from './holders.js';
import { suspiciousTypes, tooManyEnded } from './object-counts.js';
import type { ObjectFacts } from './object-facts.js';
import { requestedSubject, type Subject } from '../subjects.js';
import * as limits from '../thresholds.js';
import { counted } from '../wording.js';

/** The subjects, with what counts of objects say of them, and those that are subjects by counts alone. */
export function withObjects(facts: LeakFacts, subjects: readonly Subject[]): Subject[] {
  const { objects, poolTags } = facts;
  if (!objects || !poolTags) return [...subjects];
  const all = [...subjects];
  for (const { type, reasons } of suspiciousTypes(objects)) {
    const row = poolTags.rows.find((one) => isTagOf(one, type.key));
    if (row === undefined) continue;
    const pool = type.pool ?? fullerPool(row);
    if (facts.options.pool !== undefined && facts.options.pool !== pool) continue;
    const place = all.findIndex((subject) => subject.row === row && subject.pool === pool);
    const before = all[place] ?? requestedSubject(row, pool, facts.modules);
    const own = before.suspicious ? before.reasons : place >= 0 ? before.reasons : [];
    const subject: Subject = { ...before, reasons: [...own, ...reasons], suspicious: true, byCount: true };
    if (place >= 0) all[place] = subject;
    else all.push(subject);
  }
  return withoutEchoes(objects, all);
}

/** The type whose objects are allocated under a tag; null for tags of other things. */
export function typeOfTag(
  objects: ObjectFacts | null | undefined,
  row: Pick<PoolTagRow, 'hex'>,
): ObjectTypeInfo | null {
  return objects?.types?.find(({ key }) => isTagOf(row, key)) ?? null;
}

function fullerPool(row: PoolTagRow): PoolKind {
  return toNumber(countersOf(row, 'paged').bytes) > toNumber(countersOf(row, 'nonpaged').bytes) ? 'paged' : 'nonpaged';
}

/** Ended processes keep their tokens: these grow with them and are no leak of their own. */
function withoutEchoes(objects: ObjectFacts, subjects: readonly Subject[]): Subject[] {
  const ended = tooManyEnded(objects);
  const process = objects.types?.find(({ type }) => type === 'Process');
  const token = objects.types?.find(({ type }) => type === 'Token');
  if (ended === 0 || process === undefined || token === undefined) return [...subjects];
  const others = Number(token.objects) - ended - Number(objects.processes?.live ?? 0);
  if (others * 100 > ended * limits.COUNTS_AGREE_PERCENT) return [...subjects];
  const echo: Note = {
    code: 'tokens-of-ended',
    message: `Each ended process keeps its token: the ${counted(Number(token.objects), 'allocation')} under tag ${tagInWords(token.tag)} grow with them and are no second leak`,
  };
  return subjects
    .filter((subject) => !isTagOf(subject.row, token.key) || !subject.suspicious || isAskedFor(subject))
    .map((subject) =>
      isTagOf(subject.row, process.key) && subject.suspicious
        ? { ...subject, reasons: [...subject.reasons, echo] }
        : subject,
    );
}

const isAskedFor = ({ reasons }: Subject): boolean => reasons.some(({ code }) => code === 'requested');
