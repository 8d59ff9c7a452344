// Preloaded into a measured process: reports its processor time and peak memory on the way out.
const { writeFileSync } = require('node:fs');
process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  writeFileSync(
    process.env.DUMPLEAK_BENCH_USAGE,
    JSON.stringify({ cpuMs: (user + system) / 1000, peakBytes: process.resourceUsage().maxRSS * 1024 }),
  );
});
