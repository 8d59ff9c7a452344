/**
 * The result described once: every field with its class, what it is, and whether it may be null. From here follow the
 * order in which it is written, what --redact replaces, docs/result.schema.json, the columns of the CSV and the tables of
 * docs/result.md. The types see to it that no field of result.ts is left out.
 */

import type { AnalysisResult, Warning } from './result.js';
import { fieldsOf, leaf, list, named, oneOf, orNull, said, type AnyShape, type Fields, type Shape } from './leaves.js';
import { NOTE } from './shape-common.js';
import * as machine from './shape-machine.js';
import { OBJECT_PARTS } from './shape-objects.js';
import { POOL_TAGS, SUSPECT, VERDICT } from './shape-suspects.js';
import { WARNING_CODES, WARNING_PLACES } from './warning-codes.js';

export const WARNING: Shape<Warning> = named('warning', 'what a reader must know about the figures', {
  code: oneOf('for programs; stays; what each means stands below', ...WARNING_CODES),
  where: oneOf('what it concerns', ...WARNING_PLACES),
  message: NOTE.fields.message,
});

/** The description of the whole result. */
export const RESULT_SHAPE = named('result', 'the result', {
  schemaVersion: leaf('text', 'the version of this contract'),
  run: machine.RUN,
  dump: machine.DUMP,
  system: orNull(machine.SYSTEM),
  memory: orNull(machine.MEMORY),
  poolTags: orNull(POOL_TAGS),
  modules: orNull(list("loaded drivers, in the order of the kernel's list", machine.MODULE_ROW)),
  unloadedModules: orNull(list('drivers that were unloaded', machine.UNLOADED)),
  objectTypes: orNull(list('types of kernel objects that tags are of', machine.OBJECT_TYPE)),
  processes: orNull(machine.PROCESSES),
  whereMemoryIs: orNull(
    list('what holds physical memory and commit: the rows of each add up to it', machine.MEMORY_PART),
  ),
  suspects: list('what may leak, worst first; empty when nothing does', SUSPECT),
  verdict: VERDICT,
  warnings: list('what a reader must know about the figures', said('a warning', WARNING)),
}) satisfies Shape<AnalysisResult>;

/** The same with the parts that other commands write: what --redact goes by. */
export const PARTS_SHAPE = named('parts', 'what commands write', { ...RESULT_SHAPE.fields, ...OBJECT_PARTS });

/** What `inOrder` gives: data for JSON.stringify, its keys in order. */
export type Ordered = Record<string, unknown>;

/**
 * A copy of an object with its keys in the order of the description; keys that it does not know follow in their own order,
 * what is in them in alphabetical order. What is undefined becomes null, a bigint a decimal string.
 */
export function inOrder(value: object, shape: Fields): Ordered {
  const fields = value as Ordered;
  const result: Ordered = {};
  const known = fieldsOf(shape);
  for (const [name, inner] of known) result[name] = ordered(fields[name], inner);
  for (const name of Object.keys(fields)) {
    if (!Object.hasOwn(shape.fields, name)) set(result, name, ordered(fields[name], 'sorted'));
  }
  return result;
}

/** The same for an object of parts, some of them parts of the result: those of others keep their own order. */
export function partsInOrder(parts: object): Ordered {
  const result: Ordered = {};
  const known: Readonly<Record<string, AnyShape>> = PARTS_SHAPE.fields;
  for (const [name, part] of Object.entries(parts)) set(result, name, ordered(part, known[name] ?? 'as-they-are'));
  return result;
}

function ordered(value: unknown, shape: AnyShape | 'sorted' | 'as-they-are'): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) {
    const of = typeof shape !== 'string' && shape.node === 'list' ? (shape.of as AnyShape) : shape;
    return value.map((item) => ordered(item, of));
  }
  if (typeof value !== 'object') return value;
  if (typeof shape !== 'string' && shape.node === 'object') return inOrder(value, shape);
  const names = Object.keys(value);
  if (shape !== 'as-they-are') names.sort();
  const result: Ordered = {};
  for (const name of names) {
    const inner = shape === 'as-they-are' ? shape : 'sorted';
    set(result, name, ordered((value as Ordered)[name], inner));
  }
  return result;
}

/** Sets a field of any name, `__proto__` too. */
function set(object: Ordered, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}
