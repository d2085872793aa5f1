/** Loaded into a measured Node process: writes its peak memory when it ends. */
import { writeFileSync } from 'node:fs';

process.on('exit', () => {
  const path = process.env.ACS_BENCH_REPORT;
  if (path !== undefined) writeFileSync(path, String(process.resourceUsage().maxRSS * 1024));
});
