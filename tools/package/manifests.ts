/** Manifests for package managers of Windows, filled from templates: where a release is published stands in none of them. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Release {
  readonly version: string;
  /** Of the zip for Windows, in lower-case hexadecimal. */
  readonly sha256: string;
  /** Folder of the release on the web, without a slash at its end. */
  readonly url: string;
}

const TEMPLATES = 'tools/package/templates';

/** Files by name: `scoop/dumpleak.json`, `winget/dumpleak.installer.yaml`, ... */
export function manifests(root: string, { version, sha256, url }: Release): { name: string; text: string }[] {
  const values: Readonly<Record<string, string>> = { VERSION: version, SHA256: sha256, SHA256_UPPER: sha256.toUpperCase(), URL: url }; // prettier-ignore
  return ['scoop', 'winget'].flatMap((room) =>
    readdirSync(join(root, TEMPLATES, room))
      .sort()
      .map((file) => ({
        name: `${room}/${file}`,
        text: readFileSync(join(root, TEMPLATES, room, file), 'utf8').replace(
          /\{\{(\w+)\}\}/g,
          (all, name: string) => values[name] ?? all,
        ),
      })),
  );
}
