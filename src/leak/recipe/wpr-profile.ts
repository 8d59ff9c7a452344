/** A profile for Windows Performance Recorder that records the allocations under one tag, with stacks. */

import { writableTag } from './recipe.js';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** The text of a `.wprp` file; null for a tag that cannot stand in one. Elements are those of the recorder's schema. */
export function wprProfile(key: number): string | null {
  const tag = writableTag(key);
  if (tag === null) return null;
  const value = tag.replace(/[&<>"']/g, (character) => entities[character] ?? character);
  const list = (element: string, values: readonly string[]): string[] =>
    values.map((one) => `        <${element} Value="${one}"/>`);
  return `${[
    '<?xml version="1.0" encoding="utf-8"?>',
    '<WindowsPerformanceRecorder Version="1.0" Author="dumpleak">',
    '  <Profiles>',
    '    <SystemCollector Id="SystemCollector" Name="NT Kernel Logger">',
    '      <BufferSize Value="1024"/>',
    '      <Buffers Value="256"/>',
    '    </SystemCollector>',
    '    <SystemProvider Id="PoolProvider">',
    '      <Keywords>',
    ...list('Keyword', ['ProcessThread', 'Loader', 'Pool']),
    '      </Keywords>',
    '      <Stacks>',
    ...list('Stack', ['PoolAllocation', 'PoolFree', 'PoolAllocationSession', 'PoolFreeSession']),
    '      </Stacks>',
    '      <PoolTags>',
    ...list('PoolTag', [value]),
    '      </PoolTags>',
    '    </SystemProvider>',
    `    <Profile Id="PoolTag.Verbose.File" Name="PoolTag" Description="Pool allocations under tag ${value.trimEnd()}" LoggingMode="File" DetailLevel="Verbose">`,
    '      <Collectors>',
    '        <SystemCollectorId Value="SystemCollector">',
    '          <SystemProviderId Value="PoolProvider"/>',
    '        </SystemCollectorId>',
    '      </Collectors>',
    '    </Profile>',
    '  </Profiles>',
    '</WindowsPerformanceRecorder>',
  ].join('\r\n')}\r\n`;
}
