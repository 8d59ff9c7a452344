// Preloaded into every process of a batch: adds a line with its largest resident set (KB) and its program when it ends.
const { appendFileSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');

if (isMainThread) {
  process.on('exit', () => {
    appendFileSync(process.env.DUMPLEAK_BENCH_PEAKS, `${process.resourceUsage().maxRSS} ${process.argv[1]}\n`);
  });
}
