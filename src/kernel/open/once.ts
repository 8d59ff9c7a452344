/** What is read of a kernel once, however many parts of an analysis ask for it. */

import type { Kernel } from './open-kernel.js';

/** `read`, which is called the first time only for a key; later calls get what it gave then. */
export function oncePer<K extends object, T>(read: (key: K) => T): (key: K) => T {
  const known = new WeakMap<K, { readonly value: T }>();
  return (key) => {
    let before = known.get(key);
    if (before === undefined) known.set(key, (before = { value: read(key) }));
    return before.value;
  };
}

/** The same for a kernel. */
export function oncePerKernel<T>(read: (kernel: Kernel) => T): (kernel: Kernel) => T {
  return oncePer(read);
}
