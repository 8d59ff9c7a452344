/** `dumpleak verifier`: what Driver Verifier tracked, in the looks of `!verifier 3` and `!verifier 0x80`. */

import { verifierOf } from '../../../analysis/verifier-state.js';
import { renderPart } from '../../../views/print/part-json.js';
import { driverRecord, logRecord } from '../../../views/pool/records.js';
import { renderPoolLog, renderVerifier } from '../../../views/pool/verifier-text.js';
import { parseAddress, parseCount } from '../../options/addresses.js';
import { partOf } from '../../blocks.js';
import { defineCommand } from '../../command.js';
import { EXIT } from '../../exit-codes.js';
import { DUMP, GROUP, jsonOption, READING } from '../../options/options.js';
import { readDump } from '../../read-dump.js';
import { SYMBOLS } from '../../options/symbol-options.js';

const DEFAULT_ROWS = 100;

export const command = defineCommand({
  positionals: { dump: DUMP, driver: { describe: 'Only this driver: acme.sys', kind: 'optional' } },
  options: {
    log: { type: 'boolean', describe: 'The log of the latest allocations and frees instead (0x80)', group: GROUP.what },
    address: {
      type: 'string',
      requiresArg: true,
      describe: 'Of the log only what is about the block at this address',
      group: GROUP.what,
    },
    limit: {
      type: 'number',
      requiresArg: true,
      describe: 'Allocations of a driver, or log entries, at most (100)',
      group: GROUP.what,
    },
    json: jsonOption('Write it as JSON'),
    ...SYMBOLS,
    ...READING,
  },
  examples: [
    ['verifier MEMORY.DMP', 'each verified driver, and what it had not freed'],
    ['verifier MEMORY.DMP acme.sys --limit 1000', 'of one driver'],
    ['verifier MEMORY.DMP --log --address ffffda0ff9791010', 'the stacks that allocated and freed a block'],
  ],
  run: async (args, output, host) => {
    const limit = parseCount(args.limit, '--limit', DEFAULT_ROWS);
    const about = args.address === undefined ? null : parseAddress(args.address, '--address');
    await readDump(args, host, async (opened) => {
      const { state, statistics, drivers, log, nameOf, wide } = verifierOf(opened.kernel, args.driver ?? null);
      const level = state?.level ?? null;
      if (args.log === true || about !== null) {
        const found = log(about, limit);
        if (args.json === true) {
          await output.json(renderPart(partOf(opened, { poolLog: found === null ? null : logRecord(found, nameOf) })));
        } else
          await output.text(
            found === null
              ? 'The log of allocations (VfPoolTraces) is not in this dump, or nothing tells where it is.\n'
              : renderPoolLog(found, about, nameOf, wide),
          );
        return;
      }
      if (args.json === true) {
        const verifier = {
          level,
          statistics,
          drivers: drivers.map((driver) => driverRecord(driver, nameOf, limit)),
        };
        await output.json(renderPart(partOf(opened, { verifier })));
      } else if (level === null) await output.text('Unable to get verifier list.\n');
      else await output.text(renderVerifier({ level, statistics, drivers, nameOf, wide, limit }));
    });
    return EXIT.done;
  },
});
