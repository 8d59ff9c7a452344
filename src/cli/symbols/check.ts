/** `symbols check` and `symbols fetch`: which files of symbols a dump needs, where they are, and how to get them. */

import { kernelPdb, type SymbolSources } from '../../../symbols/sources.js';
import { checkSymbols, type SymbolCheck, type SymbolNeed } from '../../../symbols/store/check.js';
import { planFetch, planText, type FetchPlan } from '../../../symbols/store/plan.js';
import type { SymbolRequest } from '../../../symbols/store/http/request.js';
import { analyze } from '../../analysis/analyze.js';
import { symbolNeeds } from '../../analysis/symbol-needs.js';
import { renderPart } from '../../views/print/part-json.js';
import { renderFetchPlan, renderSymbolCheck } from '../../report/text/symbols.js';
import { SCHEMA_VERSION } from '../../result/result.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import type { Host, Output } from '../terminal/output.js';
import { readDump, type DumpArguments } from '../read-dump.js';
import { openSources } from '../options/symbol-options.js';
import { checkWritable, writeWhole } from '../terminal/write-file.js';

/** Options of the two. */
export interface CheckArguments extends DumpArguments {
  readonly json?: boolean | undefined;
  readonly all?: boolean | undefined;
  readonly urls?: string | undefined;
}

/** `symbols check`: of every module. Servers are asked whether they have a file; nothing is fetched. */
export async function checkDump(args: CheckArguments, output: Output, host: Host): Promise<ExitCode> {
  await withSources(args, host, async (sources, needs) => {
    const check = await checkSymbols(needs.all, sources.store, { servers: args.offline === true ? 'none' : 'probe' });
    await show(check, args, output);
  });
  return EXIT.done;
}

/** `symbols fetch`: what an analysis has use for, or with `--all` everything; with `--urls` only the addresses. */
export async function fetchFor(args: CheckArguments, output: Output, host: Host): Promise<ExitCode> {
  if (args.urls !== undefined) checkWritable(args.urls);
  let code: ExitCode = EXIT.done;
  await withSources(args, host, async (sources, { all, useful }) => {
    const wanted = args.all === true ? all : useful;
    const servers = args.urls === undefined && args.offline !== true ? 'fetch' : 'none';
    const check = await checkSymbols(wanted, sources.store, { servers });
    if (args.urls !== undefined) {
      const missing = new Set(check.modules.filter(({ file }) => file === null).map(({ module }) => module));
      const requests = wanted.flatMap(({ module, request }): SymbolRequest[] =>
        request !== null && missing.has(module) ? [request] : [],
      );
      const plan = planFetch(requests, sources.store.path);
      writeWhole(args.urls, planText(plan));
      await showPlan(plan, args.urls, args, output);
      return;
    }
    await show(check, args, output);
    if (check.modules[0]?.status !== 'found') code = EXIT.badInput;
  });
  return code;
}

interface Needs {
  /** Of every module. */
  readonly all: readonly SymbolNeed[];
  /** Of the kernel and of the drivers that the analysis names. */
  readonly useful: readonly SymbolNeed[];
}

/** Reads the dump without any symbols, then lets `use` look for them. */
async function withSources(
  args: CheckArguments,
  host: Host,
  use: (sources: SymbolSources, needs: Needs) => Promise<void>,
): Promise<void> {
  const needs = await readDump(
    args,
    host,
    (opened, progress): Needs => {
      const pdb = kernelPdb(opened.kernel.identity);
      const result = opened.dump.triage === null ? analyze(opened, { progress }) : null;
      const drivers = new Set(result?.suspects.flatMap((suspect) => suspect.drivers.map(({ module }) => module)));
      return { all: symbolNeeds(opened, pdb), useful: symbolNeeds(opened, pdb, drivers) };
    },
    false,
  );
  const sources = await openSources(args, host.env);
  try {
    await use(sources, needs);
  } finally {
    sources.close();
  }
}

async function show(check: SymbolCheck, args: CheckArguments, output: Output): Promise<void> {
  if (args.json === true) await output.json(renderPart({ schemaVersion: SCHEMA_VERSION, symbols: check }));
  else await output.text(renderSymbolCheck(check, output.style));
}

async function showPlan(plan: FetchPlan, file: string, args: CheckArguments, output: Output): Promise<void> {
  if (args.json === true) await output.json(renderPart({ schemaVersion: SCHEMA_VERSION, plan: { file, ...plan } }));
  else await output.text(renderFetchPlan(plan, file, output.style));
}
