/** What is read of a kernel once, however many parts of an analysis ask for it. */

import type { Kernel } from './open-kernel.js';

/** `read`, which is called the first time only for a kernel; later calls get what it gave then. */
export function oncePerKernel<T>(read: (kernel: Kernel) => T): (kernel: Kernel) => T {
  const known = new WeakMap<Kernel, { readonly value: T }>();
  return (kernel) => {
    let before = known.get(kernel);
    if (before === undefined) known.set(kernel, (before = { value: read(kernel) }));
    return before.value;
  };
}
