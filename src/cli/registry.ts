/**
 * The commands. To add one: a file in commands/ that exports `command` (see command.ts; it only calls the library), and
 * a line here, with its words as its `positionals` spell them. A command's file is loaded only when it is the one that
 * runs, so a command imports what it needs from the library's own files rather than from src/index.ts, which has it all. A name
 * of two words is a command of a family.
 */

import type { CommandEntry } from './command.js';

const questions = async () => import('./commands/history/questions.js');
const changes = async () => import('./commands/history/changes.js');
const store = async () => import('./commands/store.js');
const queue = async () => import('./commands/queue/queue.js');
const symbols = async () => import('./commands/symbols.js');
const profile = async () => import('./commands/profile.js');

export const COMMANDS: readonly CommandEntry[] = [
  { name: 'analyze', words: '<dump>', summary: 'Find what leaks pool memory, and the driver behind it', load: () => import('./commands/analyze.js') },
  { name: 'info', words: '<dump>', summary: 'Show what a dump is and what can be asked of it', load: () => import('./commands/info.js') },
  { name: 'kd', words: '<dump>', summary: "Give the debugger's own commands, at a prompt or from a script", load: () => import('./commands/kd.js') },
  { name: 'vm', words: '<dump> [flags]', summary: 'Show the memory totals, as !vm 1 does', load: () => import('./commands/vm.js') },
  { name: 'poolused', words: '<dump> [words..]', summary: 'Show what each pool tag holds, as !poolused does', load: () => import('./commands/pool/poolused.js') },
  { name: 'modules', words: '<dump> [name]', summary: 'List drivers, or find one by name or address, as lm does', load: () => import('./commands/modules.js') },
  { name: 'search', words: '<dump> [tag]', summary: 'Search all drivers for a tag or for bytes, as s -a does', load: () => import('./commands/search.js') },
  { name: 'tags', words: '[paths..]', summary: 'Search driver files for a tag, or list all tags that they use', load: () => import('./commands/tags.js') },
  { name: 'pooltag', words: '<tag>', summary: 'Tell what the lists of tags say of one', load: () => import('./commands/pool/pooltag.js') },
  { name: 'recipe', words: '<tag>', summary: 'Tell how to get the stacks of allocations under a tag', load: () => import('./commands/recipe.js') },
  { name: 'processes', words: '<dump>', summary: 'List processes, and ended ones that are still there, as !process 0 0 does', load: () => import('./commands/objects/processes.js') },
  { name: 'handles', words: '<dump>', summary: 'Count handles by process and type, or list them as !handle does', load: () => import('./commands/objects/handles.js') },
  { name: 'objects', words: '<dump>', summary: 'Count kernel objects by type, or show those of one type by name', load: () => import('./commands/objects/objects.js') },
  { name: 'holders', words: '<dump> <tag>', summary: 'Tell who holds the objects under a tag of Windows', load: () => import('./commands/objects/holders.js') },
  { name: 'poolfind', words: '<dump> <tag>', summary: 'List all blocks of a tag, as !poolfind does', load: () => import('./commands/pool/poolfind.js') },
  { name: 'pool', words: '<dump> <address>', summary: 'Show whose block an address is in, and its neighbours, as !pool does', load: () => import('./commands/pool/pool.js') },
  { name: 'poolval', words: '<dump> <address>', summary: 'Check the blocks of a pool page, as !poolval does', load: () => import('./commands/pool/poolval.js') },
  { name: 'block', words: '<dump> <address>', summary: 'Show what stands in a pool block, as dps does', load: () => import('./commands/pool/block.js') },
  { name: 'bigpool', words: '<dump> [tag]', summary: 'Show the allocations of a page and more, by tag or one by one', load: () => import('./commands/pool/bigpool.js') },
  { name: 'verifier', words: '<dump> [driver]', summary: 'Show what Driver Verifier tracked, as !verifier 3 and 0x80 do', load: () => import('./commands/pool/verifier.js') },
  { name: 'trend', words: '[inputs..]', summary: 'Tell a leak from load over a series of logs, counters or dumps', load: () => import('./commands/trend.js') },
  { name: 'diff', words: '<before> <after>', summary: 'Show what grew between two dumps or logs', load: () => import('./commands/diff.js') },
  { name: 'check', words: '[dumps..]', summary: 'Fail when tags or drivers hold more than in a good run, for tests of drivers', load: () => import('./commands/check.js') },
  { name: 'poolmon', words: '[dump]', summary: "Write a dump's tag table as a poolmon log, or a script that collects logs", load: () => import('./commands/pool/poolmon.js') },
  { name: 'batch', words: '[paths..]', summary: 'Read many dumps: which drivers leak where, and which machines share a cause', load: () => import('./commands/batch.js') },
  { name: 'report', words: '[folder]', summary: 'Write the pages of a history, only what is new', load: () => import('./commands/report.js') },
  { name: 'worker', words: '', summary: 'Read dumps from the queue of a shared history', load: () => import('./commands/queue/worker.js') },
  { name: 'queue status', words: '', summary: 'Show what waits, what is read and by whom, and dead letters', load: async () => ({ command: (await queue()).status }) },
  { name: 'queue retry', words: '[dumps..]', summary: 'Try dead letters again', load: async () => ({ command: (await queue()).retry }) },
  { name: 'queue cancel', words: '[dumps..]', summary: 'Take dumps out of the queue', load: async () => ({ command: (await queue()).cancel }) },
  { name: 'mcp', words: '[folders..]', summary: 'Answer the questions of an assistant about dumps (Model Context Protocol)', load: () => import('./commands/mcp.js') },
  { name: 'history list', words: '[folder]', summary: 'List dumps, all or by tag, driver, machine or time', load: async () => ({ command: (await questions()).list }) },
  { name: 'history show', words: '[folder] [dumps..]', summary: 'Show the reports of dumps', load: async () => ({ command: (await questions()).show }) },
  { name: 'history groups', words: '[folder]', summary: 'List dumps with the same cause', load: async () => ({ command: (await questions()).groups }) },
  { name: 'history machines', words: '[folder]', summary: 'List machines', load: async () => ({ command: (await questions()).machines }) },
  { name: 'history search', words: '[folder] [word]', summary: 'Look for a word in tags, drivers, machines, headlines and places', load: async () => ({ command: (await questions()).search }) },
  { name: 'history export', words: '[folder]', summary: 'Write everything, as NDJSON or for a spreadsheet', load: async () => ({ command: (await questions()).exportAll }) },
  { name: 'history tables', words: '[folder]', summary: 'List the tables and columns that history sql can ask', load: async () => ({ command: (await questions()).tables }) },
  { name: 'history sql', words: '[folder] [question]', summary: 'Ask in SQL', load: async () => ({ command: (await questions()).sql }) },
  { name: 'history delete', words: '[folder] [dumps..]', summary: 'Forget dumps', load: async () => ({ command: (await changes()).deleteDumps }) },
  { name: 'history prune', words: '[folder]', summary: 'Forget dumps that are old, or too many', load: async () => ({ command: (await changes()).prune }) },
  { name: 'history rebuild', words: '[folder]', summary: 'Make the database again from the journal', load: async () => ({ command: (await changes()).rebuild }) },
  { name: 'store init', words: '', summary: 'Make or bring up the tables of a shared history, and give rights', load: async () => ({ command: (await store()).init }) },
  { name: 'symbols check', words: '<dump>', summary: 'Show what each module needs and where it is', load: async () => ({ command: (await symbols()).check }) },
  { name: 'symbols fetch', words: '<dump>', summary: 'Bring the symbols that an analysis needs', load: async () => ({ command: (await symbols()).fetch }) },
  { name: 'symbols info', words: '<pdb>', summary: 'Tell what a PDB is', load: async () => ({ command: (await symbols()).info }) },
  { name: 'profile make', words: '<pdb>', summary: "Reduce a kernel's PDB or symbol table to a small text", load: async () => ({ command: (await profile()).make }) },
  { name: 'profile list', words: '', summary: 'List the profiles that are there', load: async () => ({ command: (await profile()).list }) },
  { name: 'completion', words: '<shell>', summary: 'Write a script that completes command lines in bash, zsh, fish or PowerShell', load: async () => ({ command: (await import('./commands/completion.js')).completion(COMMANDS, DEFAULT_COMMAND) }) },
]; // prettier-ignore

/** First words that several commands share, and what those have in common. */
export const FAMILIES: ReadonlyMap<string, string> = new Map([
  ['history', 'Show what batches have found: dumps, groups, machines; export or delete'],
  ['store', 'Make a PostgreSQL database the history of many hosts'],
  ['queue', 'Show and change the queue of a shared history that workers on many hosts read from'],
  ['symbols', 'Check or fetch the symbols that a dump needs, or describe a PDB'],
  ['profile', "Make a small profile of a kernel's PDB for sites without symbols, or list profiles"],
]);

/** The command that a dump alone stands for: `dumpleak MEMORY.DMP`. */
export const DEFAULT_COMMAND = 'analyze';
