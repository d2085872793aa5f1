/**
 * Loaded into a measured Node process: writes its peak memory when it ends. No ES module, because loading one starts zlib's
 * threads before the program could say how many it wants.
 */
const { writeFileSync } = require('node:fs');

process.on('exit', () => {
  const path = process.env.ACS_BENCH_REPORT;
  if (path !== undefined) writeFileSync(path, String(process.resourceUsage().maxRSS * 1024));
});
