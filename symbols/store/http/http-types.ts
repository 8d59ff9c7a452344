/** What is asked of a server and what it answers, without a type of Node: who uses the library needs none. */

/** Limits; times in milliseconds. */
export interface HttpLimits {
  /** Until a connection stands, proxy and encryption included. */
  readonly connectTimeout: number;
  /** Longest silence. */
  readonly idleTimeout: number;
  /** Fewest bytes of a body within each `rateWindow`: a server that sends less holds up an analysis. */
  readonly fewestBytes: number;
  readonly rateWindow: number;
  /** One file, redirects included. */
  readonly totalTimeout: number;
  /** Bytes of one file, unpacked where the server compresses on the way. */
  readonly maxBytes: number;
  readonly maxRedirects: number;
}

export const DEFAULT_LIMITS: HttpLimits = {
  connectTimeout: 15_000,
  idleTimeout: 30_000,
  fewestBytes: 30 * 1024,
  rateWindow: 30_000,
  totalTimeout: 30 * 60_000,
  maxBytes: 2 * 2 ** 30,
  maxRedirects: 5,
};

/** Told now and then how far a download is; `total` is null where the server does not say. */
export type DownloadProgress = (url: string, received: number, total: number | null) => void;

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD';
  readonly authorization: string | null;
  /** Where the body goes; called only when the status is 200. Null: the body is not wanted. */
  readonly target: (() => Promise<string>) | { readonly memory: number } | null;
  readonly progress?: DownloadProgress | undefined;
}

/** A status 200, or one that says the file is not there. */
export interface HttpAnswer {
  readonly found: boolean;
  readonly status: number;
  /** Where redirects led, without credentials. */
  readonly url: string;
  readonly contentType: string | null;
  /** Bytes of the body as written. */
  readonly bytes: number;
  /** The body where memory was the target, else empty. */
  readonly body: Uint8Array;
}
