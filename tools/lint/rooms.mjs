/** The rooms of the code and the one direction of imports: what eslint, the import graph and docs/architecture.md go by. */

/** The rooms of src, lowest first; rooms in one list stand side by side and may use one another. */
export const LAYERS = [
  ['result', 'kernel', 'code'],
  ['leak', 'growth'],
  ['redact'],
  ['analysis'],
  ['views'],
  ['report'],
  ['kd'],
  ['batch'],
  ['mcp'],
  ['cli'],
];

/** The rooms inside src/kernel, lowest first. What stands in src/kernel itself is below them. */
export const KERNEL_LAYERS = [['find', 'open'], ['objects', 'verifier'], ['processes'], ['memory', 'modules', 'pool']];
