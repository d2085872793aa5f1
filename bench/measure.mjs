/**
 * Runs one command in its own process and measures wall time, processor time and peak memory without helper programs.
 * Node children report their own peak through `report.cjs`; other programs are watched in /proc. Processor time is what
 * the kernel adds to this process for children it has reaped.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPORT = fileURLToPath(new URL('./report.cjs', import.meta.url));
const TICKS_PER_SECOND = 100;
const POLL_MS = 25;

/** User and system seconds of all reaped children of this process, or undefined without /proc. */
function childrenCpuSeconds() {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}

/** Peak memory in bytes of each live process of a tree. */
function peaks(pid, into) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const peak = /VmHWM:\s+(\d+) kB/.exec(status);
    if (peak !== null) into.set(pid, Number(peak[1]) * 1024);
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1');
      for (const child of children.split(' ')) if (child !== '') peaks(child, into);
    }
  } catch {
    // The process has ended meanwhile.
  }
}

/**
 * @param {readonly [string, ...string[]]} command
 * @param {{ okStatus?: readonly number[] }} [options]
 * @returns {Promise<{ wallSeconds: number, cpuSeconds?: number, peakRssBytes?: number, stdout: string }>}
 */
export async function measure(command, { okStatus = [0] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'acs-bench-'));
  const [program, ...args] = command;
  const isNode = program === process.execPath;
  const before = childrenCpuSeconds();
  const started = process.hrtime.bigint();
  const child = spawn(program, isNode ? ['--require', REPORT, ...args] : args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ACS_BENCH_REPORT: join(folder, 'report') },
  });
  const watched = new Map();
  const watch = isNode ? undefined : setInterval(() => peaks(child.pid, watched), POLL_MS);
  if (!isNode) peaks(child.pid, watched);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    if (stdout.length < 1 << 20) stdout += data;
  });
  child.stderr.on('data', (data) => {
    if (stderr.length < 1 << 16) stderr += data;
  });
  const status = await new Promise((done, failed) => {
    child.once('error', failed);
    child.once('close', (code, signal) => done(code ?? signal));
  });
  const wallSeconds = Number(process.hrtime.bigint() - started) / 1e9;
  clearInterval(watch);
  const after = childrenCpuSeconds();
  const peak = isNode ? ownReport(join(folder, 'report')) : Math.max(0, ...watched.values()) || undefined;
  rmSync(folder, { recursive: true });
  if (!okStatus.includes(status)) {
    throw new Error(`${command.join(' ')} ended with ${status}\n${stderr.slice(0, 2000)}`);
  }
  return {
    wallSeconds,
    cpuSeconds: before === undefined || after === undefined ? undefined : after - before,
    peakRssBytes: peak,
    stdout,
  };
}

function ownReport(path) {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
