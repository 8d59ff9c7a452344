/**
 * What a description of the result is made of: leaves, each with a class, in objects and lists. The types tie a
 * description to the type that it describes: a field without one does not compile, nor one that may be null and is not
 * said to be, nor a set of values with one missing.
 */

/** Classes of text of which the values are a set, a number or a hash: they can tell of nobody. */
export type PlainTextClass =
  /** For programs: lower-case words with hyphens. */
  | 'code'
  /** An address, a code or a hash: lower-case hexadecimal with 0x. */
  | 'hex'
  | 'address'
  /** UTC, ISO 8601. */
  | 'time'
  | 'guid'
  /** Eight hexadecimal digits: language and code page. */
  | 'language'
  /** Four characters of a pool tag. */
  | 'tag';

/** Classes of text that may hold anything. What each loses under --redact stands in src/redact/result.ts. */
export type FreeTextClass =
  /** Sentences and names of things that are in no other class. */
  | 'text'
  /** A sentence beside a `code`. */
  | 'message'
  /** The note of a piece of evidence, which may quote memory. */
  | 'note'
  /** Memory from a tag on, as hexadecimal pairs or as characters. */
  | 'bytes'
  | 'memory'
  | 'host'
  | 'user'
  /** The image of a process. */
  | 'process'
  /** What a handle leads to: a process, a path with its file, a key, an account. */
  | 'target'
  /** A driver's name: it stays, since reports are about it. */
  | 'file'
  /** A path in the dump, or of a driver's file. */
  | 'path'
  /** A file that the user named. */
  | 'given'
  /** The name of a release of Windows, which may hold a slash. */
  | 'release'
  /** Where something is written down: a page, a document. */
  | 'reference';

export type NumberClass =
  /** Not negative and whole. */
  | 'integer'
  | 'number'
  /** A fraction of one. */
  | 'share'
  /** From 0 to 100. */
  | 'percent'
  | 'seconds'
  | 'milliseconds';

export type LeafClass = PlainTextClass | FreeTextClass | NumberClass | 'count' | 'flag' | 'fixed';

interface Said<N extends boolean> {
  /** What it is, for the table of fields. */
  readonly what: string;
  readonly nullable: N;
}

export interface Leaf<C extends LeafClass = LeafClass, N extends boolean = boolean> extends Said<N> {
  readonly node: 'leaf';
  readonly is: C;
}

/** One of a set of values. */
export interface Fixed<V extends string = string, N extends boolean = boolean> extends Leaf<'fixed', N> {
  readonly values: readonly V[];
  /** Makes the type hold for these values exactly. */
  readonly exactly?: (value: V) => V;
}

export interface List<S = unknown, N extends boolean = boolean> extends Said<N> {
  readonly node: 'list';
  readonly of: S;
  /** The schema allows a list of up to so many. */
  readonly most?: number;
}

/** Fields of no fixed set: written in alphabetical order, and every text of them is free text. */
export interface Open<N extends boolean = boolean> extends Said<N> {
  readonly node: 'open';
}

export interface Fields<F = Readonly<Record<string, unknown>>, N extends boolean = boolean> extends Said<N> {
  readonly node: 'object';
  readonly fields: F;
  /** One with a name is described once, under it. */
  readonly name: string | null;
}

/** The description that a type asks for. */
export type Shape<T> = ShapeOf<NonNullable<T>, null extends T ? true : undefined extends T ? true : false>;

type ShapeOf<T, N extends boolean> = [T] extends [boolean]
  ? Leaf<'flag', N>
  : [T] extends [number]
    ? Leaf<NumberClass, N>
    : [T] extends [string]
      ? string extends T
        ? Leaf<PlainTextClass | FreeTextClass, N>
        : Fixed<T, N>
      : [T] extends [string | number]
        ? Leaf<'count', N>
        : [T] extends [readonly (infer Item)[]]
          ? List<Shape<Item>, N>
          : string extends keyof T
            ? Open<N>
            : Fields<{ readonly [Key in keyof T]-?: Shape<T[Key]> }, N>;

/** Any description, for walks over it. */
export type AnyShape = Leaf | Fixed | Open | List | Fields;

/** The fields of an object, in order. */
export function fieldsOf(shape: Fields): [string, AnyShape][] {
  return Object.entries(shape.fields as Readonly<Record<string, AnyShape>>);
}

export function leaf<C extends LeafClass>(is: C, what: string): Leaf<C, false> {
  return { node: 'leaf', is, what, nullable: false };
}

/** A text of a set of values. */
export function oneOf<const V extends readonly string[]>(what: string, ...values: V): Fixed<V[number], false> {
  return { node: 'leaf', is: 'fixed', what, nullable: false, values };
}

/** The same with other words, where one description is of several fields. */
export function said<S extends AnyShape>(what: string, shape: S): S {
  return { ...shape, what };
}

/** One that may be null. */
export function orNull<S extends { readonly nullable: false }>(shape: S): Omit<S, 'nullable'> & { nullable: true } {
  return { ...shape, nullable: true };
}

export function list<S>(what: string, of: S): List<S, false> {
  return { node: 'list', what, nullable: false, of };
}

export function open(what: string): Open<false> {
  return { node: 'open', what, nullable: false };
}

/** An object that is described where it stands. */
export function inner<F>(what: string, fields: F): Fields<F, false> {
  return { node: 'object', what, nullable: false, fields, name: null };
}

/** An object with a table and a schema of its own. */
export function named<F>(name: string, what: string, fields: F): Fields<F, false> {
  return { node: 'object', what, nullable: false, fields, name };
}
