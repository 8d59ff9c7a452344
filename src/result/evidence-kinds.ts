/** The kinds of evidence, and what every reader of a result needs to know of each. A new kind is a line here. */

/** What is known of a kind. */
interface KindFacts {
  /** For people. */
  readonly words: string;
  /** An instruction holds the tag: its bytes are the same on every machine, and it can be named by a function. */
  readonly isCode: boolean;
  /** The four bytes of the tag stand at its address, so that `s -a` of the debugger shows it. */
  readonly isTagBytes: boolean;
}

const kind = (words: string, more: Partial<KindFacts> = {}): KindFacts => ({
  words,
  isCode: false,
  isTagBytes: false,
  ...more,
});

/** Strongest first: drivers are ranked, and their evidence is shown, in this order. */
const EVIDENCE_KINDS = {
  bugcheck: kind('named by the bug check'),
  verifier: kind('Driver Verifier'),
  'code-immediate-pair': kind('tag built in code, in two halves', { isCode: true }),
  'code-immediate': kind('tag in code', { isCode: true, isTagBytes: true }),
  'allocation-content': kind('seen in the allocations'),
  'filter-context': kind('its registered context', { isTagBytes: true }),
  'pooltag-file': kind('named in a list of tags'),
  data: kind('tag in data', { isTagBytes: true }),
  'tag-rule': kind('rule for this tag'),
  string: kind('inside longer text', { isTagBytes: true }),
  'disk-image': kind('in the driver file'),
} as const satisfies Readonly<Record<string, KindFacts>>;

export type EvidenceKind = keyof typeof EVIDENCE_KINDS;

/** Their names, strongest first. */
export const KIND_ORDER = Object.keys(EVIDENCE_KINDS) as EvidenceKind[];

/** Smaller for stronger kinds. */
export function orderOf(of: EvidenceKind): number {
  return KIND_ORDER.indexOf(of);
}

/** Whether an instruction holds the tag. */
export function isCodeKind(of: string): boolean {
  return kindFacts(of).isCode;
}

/** What is known of a kind; of one of a later version its name alone. */
export function kindFacts(of: string): KindFacts {
  return Object.hasOwn(EVIDENCE_KINDS, of) ? EVIDENCE_KINDS[of as EvidenceKind] : kind(of);
}
