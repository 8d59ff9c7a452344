/** Which proxy stands between this machine and a server, by the variables that companies set. */

import { BlockList, isIP } from 'node:net';
import { basicAuthorization } from './server-address.js';
import type { Environment } from '../symbol-path.js';

/** An HTTP proxy. */
export interface Proxy {
  readonly host: string;
  readonly port: number;
  /** The connection to the proxy itself is secured. */
  readonly secure: boolean;
  /** The value of the Proxy-Authorization header, or null. */
  readonly authorization: string | null;
  /** For messages: `proxy.example.com:8080`. */
  readonly text: string;
}

/** What the environment says of proxies. */
export interface ProxySettings {
  readonly http: Proxy | null;
  readonly https: Proxy | null;
  /** Hosts reached directly: the entries of NO_PROXY. */
  readonly direct: readonly string[];
  /** Variables whose value cannot be used. */
  readonly problems: readonly string[];
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/**
 * Reads `_NT_SYMBOL_PROXY` (the debugger's own, `host:port`), else `HTTPS_PROXY`, `HTTP_PROXY`, else `ALL_PROXY`; and
 * `NO_PROXY`. Lower case wins, as for other tools.
 */
export function proxySettings(env: Environment): ProxySettings {
  const problems: string[] = [];
  const read = (...names: string[]): Proxy | null => {
    for (const name of names) {
      const text = env[name]?.trim() ?? '';
      if (text === '') continue;
      const proxy = parseProxy(text);
      if (proxy !== null) return proxy;
      problems.push(name);
    }
    return null;
  };
  return {
    http: read('_NT_SYMBOL_PROXY', 'http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'),
    https: read('_NT_SYMBOL_PROXY', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'),
    direct: (env['no_proxy'] ?? env['NO_PROXY'] ?? '').split(/[\s,;]+/).filter((entry) => entry !== ''),
    problems: [...new Set(problems)],
  };
}

/** The proxy for an address, or null where it is reached directly. */
export function proxyFor(url: URL, settings: ProxySettings): Proxy | null {
  const proxy = url.protocol === 'https:' ? settings.https : settings.http;
  if (proxy === null) return null;
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port === '' ? DEFAULT_PORTS[url.protocol] : Number(url.port);
  return settings.direct.some((entry) => covers(entry.toLowerCase(), host, port)) ? null : proxy;
}

function parseProxy(text: string): Proxy | null {
  let url: URL;
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  } catch {
    return null;
  }
  const defaultPort = DEFAULT_PORTS[url.protocol];
  if (defaultPort === undefined || url.hostname === '') return null;
  const port = url.port === '' ? defaultPort : Number(url.port);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    host,
    port,
    secure: url.protocol === 'https:',
    authorization: basicAuthorization(url),
    text: `${url.hostname}:${port}`,
  };
}

/** `*`, `host`, `.domain`, `*.domain`, each with `:port` or without; addresses, and networks as `10.0.0.0/8`; `<local>`. */
function covers(entry: string, host: string, port: number | undefined): boolean {
  if (entry === '*') return true;
  if (entry === '<local>') return !host.includes('.') && isIP(host) === 0;
  if (isIP(host) !== 0 && coversAddress(entry, host)) return true;
  const withPort = /^(.*):(\d+)$/.exec(entry);
  const isPlainIp6 = isIP(entry) === 6;
  if (withPort !== null && !isPlainIp6 && Number(withPort[2]) !== port) return false;
  const name = (withPort !== null && !isPlainIp6 ? (withPort[1] ?? '') : entry).replace(/^\*?\.|^\[|\]$/g, '');
  return name !== '' && (host === name || host.endsWith(`.${name}`));
}

function coversAddress(entry: string, host: string): boolean {
  const [address = '', bits, ...more] = entry.split('/');
  const family = isIP(address);
  if (family === 0 || bits === undefined || more.length > 0 || !/^\d{1,3}$/.test(bits)) return false;
  const version = family === 6 ? 'ipv6' : 'ipv4';
  if (Number(bits) > (family === 6 ? 128 : 32)) return false;
  const network = new BlockList();
  network.addSubnet(address, Number(bits), version);
  return network.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}
