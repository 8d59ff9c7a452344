// Preloaded into a measured process: reports its processor time and peak memory on the way out.
const { readFileSync, writeFileSync } = require('node:fs');

// On Linux maxRSS begins with what the parent held when it started this process; VmHWM is of this program alone.
function peakBytes() {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))[1]) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}

// Of the processes that this one started and that have ended; Linux counts it in hundredths of a second.
function childrenMs() {
  try {
    const fields = readFileSync('/proc/self/stat', 'latin1')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[13]) + Number(fields[14])) * 10;
  } catch {
    return null;
  }
}

process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  writeFileSync(
    process.env.DUMPLEAK_BENCH_USAGE,
    JSON.stringify({ cpuMs: (user + system) / 1000, peakBytes: peakBytes(), childrenMs: childrenMs() }),
  );
});
