/** The part of postject that is used. */
declare module 'postject' {
  /** Puts `data` into the program at `path` under a name, and sets the fuse that says so. */
  export function inject(path: string, name: string, data: Buffer, options: { sentinelFuse: string }): Promise<void>;
}
