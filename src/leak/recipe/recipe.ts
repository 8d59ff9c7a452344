/**
 * The recipe that gets the stack of whoever allocates under a tag: what to record, as commands to paste, for this tag, this
 * build and these drivers, with what each costs. The most useful first. Tools and switches are those of their public
 * documentation (Windows Performance Toolkit, Driver Verifier, PoolMon, gflags, the debugger).
 */

import { kernelDoes } from '../../../symbols/generations.js';
import type { Recipe, RecipeStep } from '../../result/result.js';
import { tagInWords, tagText } from '../../result/tag.js';
import { hex } from '../../../parsers/bytes/failure.js';
import { printable } from '../../../parsers/text-safety.js';

/** What a recipe is asked for. */
export interface RecipeFor {
  /** The tag's number, little-endian, without the protected bit. */
  readonly key: number;
  /** Of Windows; null where that is not known. */
  readonly build: number | null;
  /** File names of the drivers whose allocations shall be tracked, best first; empty where nobody is known. */
  readonly drivers: readonly string[];
  /** Drivers allocate under it for others, or the kernel does: tracking drivers tells nothing of it. */
  readonly windows: boolean;
  /** The kernel makes objects under it, which handles and references keep. */
  readonly objects: boolean;
}

/** Lines between two commands: a trace of five minutes; and what no command does. */
const WAIT = 'timeout /t 300 /nobreak';
const RESTART = 'rem restart the machine, let it grow, collect a dump; then:';
/** Named in one command. */
const MOST_DRIVERS = 8;

/** Steps in order of use. Empty for no tag that anything can be asked of. */
export function recipeFor(asked: RecipeFor): Recipe {
  const steps: RecipeStep[] = [
    poolmon(asked),
    ...(asked.objects ? objectSteps(asked) : []),
    ...traces(asked),
    ...(asked.windows || asked.objects ? [] : [verifier(asked)]),
    poolHitTag(asked),
  ];
  return { tag: tagText(asked.key), key: hex(asked.key), build: asked.build, steps };
}

/** The tag as it can stand in a command of cmd.exe or in a file; null for one that cannot. */
export function writableTag(key: number): string | null {
  const tag = String.fromCharCode(...[0, 8, 16, 24].map((shift) => (key >>> shift) & 0xff));
  return /^[\x20-\x7e]{4}$/.test(tag) && !/["%^&|<>*?]/.test(tag) ? tag : null;
}

const quoted = (text: string): string => (/^[\w.-]+$/.test(text) ? text : `"${text}"`);

function poolmon({ key }: RecipeFor): RecipeStep {
  const tag = writableTag(key);
  // A pattern must be without blanks: `?` stands for them.
  const filter = tag === null ? '' : ` /i${tag.replaceAll(' ', '?')}`;
  return {
    id: 'poolmon',
    title: 'See that it grows, and under what load',
    cost: 'Nothing is changed; a snapshot takes a second.',
    where: 'command prompt',
    commands: [
      `poolmon /b${filter}`,
      'dumpleak poolmon --collect-script -o collect-poolmon.cmd',
      'collect-poolmon.cmd 15 C:\\poolmon',
      'dumpleak trend C:\\poolmon',
    ],
    note: 'The script takes a snapshot every 15 minutes until it is stopped: two days tell a leak from load.',
  };
}

/** Who opens the handles, and who refers to the objects. */
function objectSteps({ key, build }: RecipeFor): RecipeStep[] {
  const tag = writableTag(key);
  const steps: RecipeStep[] = [];
  if (build === null || kernelDoes('hasWpr', build)) {
    steps.push({
      id: 'handles',
      title: 'Record who opens the handles, with stacks',
      cost: 'Every handle that is opened or closed is logged: some minutes are enough.',
      where: 'command prompt',
      commands: [
        'wpr -start Handle -filemode',
        WAIT,
        'wpr -stop handles.etl "handles that are not closed"',
        'wpa handles.etl',
      ],
      note: 'As administrator. In Windows Performance Analyzer: Memory, Handles, Outstanding Count by process and stack. "wpr" is a part of Windows 10 and later.',
    });
  }
  if (tag !== null) {
    steps.push({
      id: 'object-references',
      title: 'Trace who refers to the objects, where no process has handles to them',
      cost: 'Restarts, and more memory and time for each reference to such an object.',
      where: 'command prompt',
      commands: [`gflags /ro /t ${quoted(tag.trimEnd())} /p`, RESTART, 'gflags /ro /d'],
      note: 'On the dump give "!obtrace ADDRESS" in a debugger for such an object ("dumpleak objects" lists some). The last command turns it off, after another restart.',
    });
  }
  return steps;
}

/** Stacks of the allocations by event tracing. */
function traces({ key, build, windows }: RecipeFor): RecipeStep[] {
  if (build !== null && !kernelDoes('tracesPool', build)) return [];
  const tag = writableTag(key);
  const name = tagInWords(tagText(key));
  const own = tag === null ? null : profileName(key);
  const why = windows
    ? ` Driver Verifier tracks only what a driver allocates itself: it does not tell for whom Windows allocates under ${name}.`
    : '';
  const steps: RecipeStep[] = [];
  if (build === null || kernelDoes('hasWpr', build)) {
    steps.push({
      id: 'wpr',
      title: 'Record the stacks of its allocations',
      cost:
        own === null
          ? 'All allocations are logged with their stacks: hundreds of megabytes a minute on a busy machine. Record some minutes.'
          : 'Each allocation and free under this tag alone is logged with its stack; as much as is allocated. Record some minutes while it grows.',
      where: 'command prompt',
      commands: [
        ...(own === null
          ? ['wpr -start Pool -filemode']
          : [`dumpleak recipe ${commandTag(key)} --wpr-profile -o ${own}`, `wpr -start ${own} -filemode`]),
        WAIT,
        `wpr -stop pool.etl "pool under ${tag === null ? hex(key) : tag.trimEnd()}"`,
        'wpa pool.etl',
      ],
      note: `As administrator. In Windows Performance Analyzer: Memory, Pool Graphs, allocations of type AIFO (allocated inside, freed outside) by tag and stack. "wpr" is a part of Windows 10 and later.${why}`,
    });
  }
  if (build === null || !kernelDoes('hasWpr', build)) {
    const filter = tag === null ? '' : ` -PoolTag ${quoted(tag)}`;
    const old = build === null || !kernelDoes('tracesStacksAtOnce', build);
    steps.push({
      id: 'xperf',
      title: 'Record the stacks of its allocations',
      cost: `${old ? 'A restart before it on 64-bit systems; then each' : 'Each'} allocation and free${tag === null ? '' : ' under this tag'} is logged with its stack. Record some minutes while it grows.`,
      where: 'command prompt',
      commands: [
        ...(old
          ? [
              'reg add "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Memory Management" /v DisablePagingExecutive /t REG_DWORD /d 1 /f',
              'rem restart the machine; then:',
            ]
          : []),
        `xperf -on PROC_THREAD+LOADER+POOL -stackwalk PoolAlloc+PoolFree+PoolAllocSession+PoolFreeSession${filter} -BufferSize 1024 -MaxFile 2048 -FileMode Circular`,
        WAIT,
        'xperf -d pool.etl',
        'xperfview pool.etl',
      ],
      note: `As administrator; xperf is a part of the Windows Performance Toolkit (Vista to 8.1).${old ? ' The setting is for x64 before Windows 8 alone, where stacks end in kernel code that is paged out.' : ''}${why}`,
    });
  }
  return steps;
}

function verifier({ drivers, build }: RecipeFor): RecipeStep {
  const named = drivers.slice(0, MOST_DRIVERS).map((name) => quoted(printable(name)));
  const which = named.length === 0 ? 'NAME.sys' : named.join(' ');
  const first = named[0] ?? 'NAME.sys';
  const more = drivers.length - named.length;
  return {
    id: 'verifier',
    title: 'Track the allocations of the drivers in question, with their callers',
    cost: `Two restarts. Each allocation of ${named.length === 1 ? 'the driver' : 'these drivers'} costs more memory and time, and a driver that unloads and leaves allocations behind stops the machine (bug check 0xC4, first parameter 0x62). Not for a machine that must not stop.`,
    where: 'command prompt',
    commands: [
      `verifier /flags 0x8 /driver ${which}`,
      RESTART,
      `dumpleak verifier MEMORY.DMP ${first}`,
      'verifier /reset',
    ],
    note: `The last command turns it off, after another restart.${more > 0 ? ` ${more} more drivers are candidates.` : ''}${named.length === 0 ? ' Give the drivers that are not part of Windows.' : ''} In a debugger: "!verifier 3 ${first}" lists what it holds, with callers${build === null || kernelDoes('tracesPool', build) ? '; "!verifier 0x80" lists the last allocations and frees with their stacks' : ''}.`,
  };
}

function poolHitTag({ key }: RecipeFor): RecipeStep {
  return {
    id: 'pool-hit-tag',
    title: 'Stop at each allocation in a kernel debugger, as the last resort',
    cost: 'DANGER: the machine stands still at every allocation and free under the tag until the debugger goes on; a tag that is used often freezes it, and without a debugger attached the breakpoint is a bug check. On test machines only.',
    where: 'debugger',
    commands: [`ed nt!PoolHitTag ${hex(key)}`, 'g', 'k', 'ed nt!PoolHitTag 0'],
    note: 'On the live machine, with the symbols of its kernel. "k" shows the stack at the stop. The number is the tag, its first character lowest; where the driver sets the protected bit, add 0x80000000. The last command ends it.',
  };
}

/** The tag as `dumpleak recipe` takes it. */
function commandTag(key: number): string {
  const tag = writableTag(key);
  return tag === null || tag.trim() === '' ? hex(key) : quoted(tag);
}

/** Of the file with the profile. */
function profileName(key: number): string {
  const tag = writableTag(key)?.trimEnd() ?? '';
  return /^\w+$/.test(tag) ? `pool-${tag}.wprp` : `pool-${hex(key)}.wprp`;
}
