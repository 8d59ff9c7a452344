// Preloaded into every process of a batch: adds a line with its largest resident set (KB), its processor time (ms) and its
// program when it ends.
const { appendFileSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');

if (isMainThread) {
  process.on('exit', () => {
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
    const ms = (userCPUTime + systemCPUTime) / 1000;
    appendFileSync(process.env.DUMPLEAK_BENCH_PEAKS, `${maxRSS} ${ms} ${process.argv[1]}\n`);
  });
}
