/** Where a worker tells how it is. */

export interface HealthAddress {
  readonly host: string;
  readonly port: number;
}

/** Reads `9090`, `0.0.0.0:9090` or `[::]:9090`; null for anything else. */
export function readHealthAddress(text: string): HealthAddress | null {
  const match = /^(?:(\[[0-9a-f:]+\]|[\w.-]+):)?(\d{1,5})$/i.exec(text.trim());
  const port = Number(match?.[2] ?? NaN);
  return port <= 65535 ? { host: (match?.[1] ?? '127.0.0.1').replace(/^\[(.*)\]$/, '$1'), port } : null;
}
