/** The address of an HTTP symbol server: what may be printed of it, and what must not. */

/**
 * Hides what an address may carry in confidence: everything up to the last `@`, and the query (signed links keep
 * their key there). For text that need not be a valid address; other text stays as it is.
 */
export function withoutSecrets(text: string): string {
  if (!/^\s*(https?:|[a-z][a-z0-9+.-]+:[\\/])/i.test(text)) return text;
  return text.replace(/^(\s*[a-z0-9+.-]+:[\\/]*)(.*@)/is, '$1').replace(/\?.+$/s, '?...');
}

/** A checked http or https address. Credentials stay inside: neither printing nor JSON shows them. */
export class ServerAddress {
  /** For people: without credentials and query. */
  readonly text: string;
  readonly #base: URL;
  readonly #authorization: string | null;

  private constructor(url: URL) {
    this.#authorization = basicAuthorization(url);
    url.username = '';
    url.password = '';
    url.hash = '';
    url.pathname = url.pathname.replace(/\/+$/, '');
    this.#base = url;
    this.text = urlText(url).replace(/\/$/, '');
  }

  /** Null when the text is no http or https address. */
  static parse(text: string): ServerAddress | null {
    if (!/^https?:\/\/[^\\\s]+$/i.test(text)) return null;
    try {
      return new ServerAddress(new URL(text));
    } catch {
      return null;
    }
  }

  /** The value of the Authorization header, or null. */
  get authorization(): string | null {
    return this.#authorization;
  }

  get origin(): string {
    return this.#base.origin;
  }

  /** The address of a file below the server's root; every part is escaped. */
  file(...parts: readonly string[]): URL {
    const url = new URL(this.#base);
    const path = parts.map((part) => `/${encodeURIComponent(part)}`).join('');
    url.pathname = `${url.pathname.replace(/\/$/, '')}${path}`;
    return url;
  }

  /** The address of a file as it may be written down: without credentials and query. */
  printable(...parts: readonly string[]): string {
    const { origin, pathname } = this.file(...parts);
    return `${origin}${pathname}`;
  }

  toString(): string {
    return this.text;
  }
}

/** The Basic header value for the user and password in an address, or null where it has none. */
export function basicAuthorization(url: URL): string | null {
  if (url.username === '' && url.password === '') return null;
  return `Basic ${Buffer.from(`${decode(url.username)}:${decode(url.password)}`).toString('base64')}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** An address for messages: without credentials, query and fragment. */
export function urlText(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}${url.search === '' ? '' : '?...'}`;
}
