/** The command `make-dump`: writes a synthetic crash dump of a ready scenario, or of a leak described by options. */

import { writeFileSync } from 'node:fs';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { buildDump } from './build-dump.js';
import { kernelVersions } from './kernel-facts.js';
import { OBJECT_SCENARIOS, type ObjectScenarioName } from './objects/scenarios.js';
import type { DumpKind, ModuleSpec, Scenario, TagRowSpec } from './scenario.js';
import { SCENARIOS, type ScenarioName } from './scenarios.js';
import { truthJson } from './truth-json.js';
import { x86Versions } from './kernel/x86-kernels.js';

const KINDS: readonly DumpKind[] = [
  'full', 'kernel', 'bitmap-full', 'bitmap-kernel', 'automatic', 'triage', 'header',
  'rdmp-kernel', 'rdmp-kernel-user', 'rdmp-full',
]; // prettier-ignore
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** `16GB`, `512m`, `4096` in bytes. Throws on anything else. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(text.trim());
  const unit = UNITS[(match?.[2] ?? '').toLowerCase()];
  if (!match || unit === undefined) throw new Error(`"${text}" is not a size such as 16GB`);
  return Math.round(Number(match[1]) * unit);
}

export interface LeakOptions {
  tag: string;
  bytes: number;
  pool: 'nonpaged' | 'paged';
  driver: string;
}

/** Adds a leak to a scenario: the tag's row, and a driver whose code uses the tag. */
export function withLeak(scenario: Scenario, leak: LeakOptions): Scenario {
  const block = 2048;
  const outstanding = Math.ceil(leak.bytes / block);
  const counters = { allocs: outstanding + 512, frees: 512, bytes: leak.bytes };
  const row: TagRowSpec = { tag: leak.tag, ...(leak.pool === 'paged' ? { paged: counters } : { nonPaged: counters }) };
  const rows = [...(scenario.pool?.rows ?? []).filter((r) => r.tag !== leak.tag), row];
  const uses: ModuleSpec['tags'] = [
    { tag: leak.tag, style: 'alloc', pool: leak.pool },
    { tag: leak.tag, style: 'free' },
  ];
  const modules = scenario.modules ?? [];
  const known = modules.find((m) => m.name === leak.driver);
  const driver: ModuleSpec = { size: 0x18000, ...known, name: leak.driver, tags: [...(known?.tags ?? []), ...uses] };
  const others = modules.filter((m) => m !== known);
  return { ...scenario, modules: [...others, driver], pool: { ...scenario.pool, rows } };
}

interface Arguments {
  scenario: string;
  count?: number | undefined;
  output: string;
  kind?: string | undefined;
  kernel?: string | undefined;
  ram?: string | undefined;
  processors?: number | undefined;
  seed?: number | undefined;
  architecture?: string | undefined;
  levels?: number | undefined;
  tag?: string | undefined;
  bytes: string;
  pool: string;
  driver: string;
  truth?: string | undefined;
}

/** The scenario that the options describe. */
export function scenarioOf(args: Omit<Arguments, 'output' | 'truth'>): Scenario {
  let scenario: Scenario =
    args.scenario in OBJECT_SCENARIOS
      ? OBJECT_SCENARIOS[args.scenario as ObjectScenarioName](args.count)
      : SCENARIOS[args.scenario as ScenarioName]();
  if (args.kind !== undefined) scenario.kind = args.kind as DumpKind;
  if (args.kernel !== undefined) scenario.kernel = args.kernel;
  if (args.processors !== undefined) scenario.processors = args.processors;
  if (args.seed !== undefined) scenario.seed = args.seed;
  if (args.levels === 5) scenario.paging = { ...scenario.paging, levels: 5 };
  if (args.architecture !== undefined) scenario.architecture = args.architecture as Scenario['architecture'] & string;
  if (args.ram !== undefined) scenario.memory = { bytes: parseSize(args.ram), ...ownFigures(scenario) };
  if (args.tag !== undefined) {
    const pool = args.pool === 'paged' ? 'paged' : 'nonpaged';
    scenario = withLeak(scenario, { tag: args.tag.padEnd(4), bytes: parseSize(args.bytes), pool, driver: args.driver });
  }
  return scenario;
}

/** With other RAM the scenario's figures no longer fit; the number of nodes does. */
function ownFigures(scenario: Scenario): Scenario['memory'] {
  const nodes = scenario.memory?.nonPagedNodes;
  return nodes === undefined ? {} : { nonPagedNodes: nodes };
}

async function write(args: Arguments): Promise<void> {
  const dump = buildDump(scenarioOf(args));
  if (args.output.endsWith('.gz')) await dump.writeGzip(args.output);
  else dump.writeTo(args.output);
  if (args.truth !== undefined) writeFileSync(args.truth, truthJson(dump.truth));
  const { truth } = dump;
  process.stdout.write(
    `${args.output}: ${truth.kind} dump of ${truth.kernel.version}, ${dump.byteLength} bytes, ${truth.pagesPresent} pages, ` +
      `${truth.modules.length} modules, ${truth.pool.rows.length} pool tags\n`,
  );
}

/** Runs the command with the given arguments. */
export async function main(argv: readonly string[]): Promise<void> {
  await yargs([...argv])
    .scriptName('make-dump')
    .command(
      '$0 [scenario]',
      'Write a synthetic Windows kernel crash dump',
      (y) =>
        y.positional('scenario', {
          choices: [...Object.keys(SCENARIOS), ...Object.keys(OBJECT_SCENARIOS)],
          default: 'modernLeak',
          describe: 'What the dumped machine is like',
        }),
      async (args) => {
        await write(args as unknown as Arguments);
      },
    )
    .option('output', {
      alias: 'o',
      type: 'string',
      demandOption: true,
      describe: 'File to write; .gz compresses it',
      group: 'File:',
    })
    .option('kind', { choices: KINDS, describe: 'Kind of dump', group: 'File:' })
    .option('truth', { type: 'string', describe: 'Also write what a correct analysis finds, as JSON', group: 'File:' })
    .option('kernel', {
      type: 'string',
      describe: `Build or version: ${kernelVersions().join(', ')}; of 32-bit systems (--architecture x86): ${x86Versions().join(', ')}`,
      group: 'Machine:',
    })
    .option('architecture', { choices: ['x64', 'x86', 'arm64'], describe: 'Processor', group: 'Machine:' })
    .option('levels', { choices: [4, 5], describe: 'Levels of page tables (x64)', group: 'Machine:' })
    .option('ram', { type: 'string', describe: 'Physical memory, such as 64GB', group: 'Machine:' })
    .option('processors', { type: 'number', describe: 'Processors, up to 640', group: 'Machine:' })
    .option('seed', { type: 'number', describe: 'Another seed, another layout of the same machine', group: 'Machine:' })
    .option('count', { type: 'number', describe: 'Leaked objects, in scenarios of objects', group: 'Leak:' })
    .option('tag', { type: 'string', describe: 'Add a leak under this pool tag', group: 'Leak:' })
    .option('bytes', { type: 'string', default: '2GB', describe: 'How much leaked', group: 'Leak:' })
    .option('pool', { choices: ['nonpaged', 'paged'], default: 'nonpaged', describe: 'Which pool', group: 'Leak:' })
    .option('driver', {
      type: 'string',
      default: 'leaky.sys',
      describe: 'Driver that allocates under the tag',
      group: 'Leak:',
    })
    .example('$0 notmyfault -o notmyfault.dmp.gz', 'The classic leak by NotMyFault')
    .example('$0 idleWorkstation --tag Xmpl --bytes 3GB --driver example.sys -o leak.dmp', 'A leak of your own')
    .example('$0 modernLeak --kind bitmap-full --ram 64GB -o big.dmp', 'A sparse 64 GB file')
    .strict()
    .help()
    .version(false)
    .fail((message: string | null, error: Error | undefined) => {
      throw error ?? new Error(message ?? 'wrong arguments');
    })
    .parseAsync();
}

const invoked = process.argv[1];
if (invoked !== undefined && import.meta.url.endsWith('/make-dump.js') && /make-dump(\.js)?$/.test(invoked)) {
  try {
    await main(hideBin(process.argv));
  } catch (error) {
    process.stderr.write(`make-dump: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
}
