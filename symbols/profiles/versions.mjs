/** Versions such as `10.0.19041.804`, for generate.mjs. */

/** `10.0.19041.804` before `10.0.19041.1052`. */
export function byVersion(a, b) {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let i = 0; i < 4; i++) if (left[i] !== right[i]) return left[i] - right[i];
  return 0;
}

export const buildOf = (version) => Number(version.split('.')[2]);
export const revisionOf = (version) => version.split('.')[3];
