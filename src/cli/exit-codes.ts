/** What the process's exit code says; docs and `--help` promise these numbers. */

export const EXIT = {
  done: 0,
  /** Only with `--fail-on-leak`: a leak is suspected; only with `--fail-on-undecided`: a dump cannot tell; `check` failed. */
  leak: 1,
  /** A file that cannot be analyzed, read or written. */
  badInput: 2,
  usage: 64,
  internal: 70,
  /** Ctrl+C: 128 + SIGINT. */
  interrupted: 130,
  /** 128 + SIGTERM. */
  terminated: 143,
  /** 128 + SIGHUP: the session or the console was closed. */
  hungUp: 129,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
