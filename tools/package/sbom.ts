/** What a release is made of, as a CycloneDX document by npm, without what differs between two runs. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_PINS, type NodePin } from './node-programs.js';

interface Component {
  'bom-ref': string;
  name: string;
  scope?: string;
}
interface Sbom {
  serialNumber?: string;
  metadata: { timestamp?: string; component: Component };
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

interface Locked {
  version: string;
  dev?: boolean;
  optional?: boolean;
  peer?: boolean;
}

/** Packages that are optional, and in the packages with Node. */
const PACKED = ['node_modules/@electric-sql/pglite'];

/**
 * The document; parts that only packages with Node hold are in it, too. `programs` are those of Node that a release has besides.
 */
export function sbom(root: string, programs: readonly NodePin[] = []): string {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(root, name), 'utf8'));
  const { name } = read('package.json') as { name: string };
  const { packages } = read('package-lock.json') as { packages: Record<string, Locked> };
  const windows = process.platform === 'win32';
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
  const text = execFileSync(windows ? 'npm.cmd' : 'npm', args, { cwd: root, encoding: 'utf8', shell: windows, maxBuffer: 2 ** 26 }); // prettier-ignore
  const document = JSON.parse(text) as Sbom;
  // npm's own `--omit dev` also leaves out what a development tool uses as well.
  const kept = new Set(
    Object.entries(packages).flatMap(([path, { version, dev, optional, peer }]) => {
      const isInstalled = path !== '' && dev !== true && optional !== true && peer !== true;
      return isInstalled || PACKED.includes(path) ? [`${path.split('node_modules/').at(-1) ?? ''}@${version}`] : [];
    }),
  );
  const own = document.metadata.component['bom-ref'];
  document.metadata.component.name = name;
  delete document.metadata.timestamp;
  delete document.serialNumber;
  document.components = document.components.filter((one) => kept.has(one['bom-ref']));
  document.dependencies = document.dependencies
    .filter(({ ref }) => ref === own || kept.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => kept.has(one)) }));
  const nodes = [...Object.values(NODE_PINS), ...programs].map(ofNode);
  document.components.push(...new Map(nodes.map((one) => [one['bom-ref'], one])).values());
  const hash = createHash('sha256').update(JSON.stringify(document)).digest('hex');
  // A name made of the contents: version 8, for what an application defines.
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(13, 16)}`, `8${hash.slice(17, 20)}`, hash.slice(20, 32)]; // prettier-ignore
  return `${JSON.stringify({ ...document, serialNumber: `urn:uuid:${parts.join('-')}` }, null, 2)}\n`;
}

function ofNode({ package: name, version, integrity }: NodePin): Component {
  const content = Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex');
  const more = { type: 'application', version, purl: `pkg:npm/${name}@${version}`, hashes: [{ alg: 'SHA-512', content }] }; // prettier-ignore
  return { 'bom-ref': `${name}@${version}`, name, scope: 'optional', ...more };
}
