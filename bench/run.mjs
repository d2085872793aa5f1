#!/usr/bin/env node
/**
 * The bench: every case in its own process, rivals on the same files in the same round, medians and ratios.
 *
 *   npm run bench                               all cases at 400 000 contracts, 3 rounds
 *   npm run bench -- --only filter --rounds 1   some cases
 *   npm run bench -- --count 40000,400000       sizes
 *   npm run bench -- --write                    also put the result into bench/README.md and bench/results.json
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DEFAULTS } from './generate.mjs';
import { measure } from './measure.mjs';
import { callInOwnProcess } from './ownProcess.mjs';
import { judge, resultTable } from './resultTable.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DATA = join(ROOT, 'bench/data');
const README = join(ROOT, 'bench/README.md');

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    count: { type: 'string', default: '400000' },
    rounds: { type: 'string', default: '3' },
    write: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const talk = (text) => process.stderr.write(`${text}\n`);

async function loadCases() {
  const cases = [];
  const rivals = [];
  for (const name of readdirSync(join(ROOT, 'bench/cases')).sort()) {
    if (!name.endsWith('.mjs')) continue;
    const module = await import(new URL(`./cases/${name}`, import.meta.url).href);
    cases.push(...(module.cases ?? []));
    rivals.push(...(module.rivals ?? []));
  }
  const names = new Set();
  for (const { name } of [...cases, ...rivals]) {
    if (names.has(name)) throw new Error(`two cases are named ${name}`);
    names.add(name);
  }
  return { cases, rivals };
}

/** The generated file for these options, made once. */
async function dataFile(options) {
  const full = { ...DEFAULTS, plain: false, manifest: false, level: 6, ...options };
  const key = createHash('sha256')
    .update(JSON.stringify(full))
    .update(readFileSync(join(ROOT, 'bench/generate.mjs')))
    .digest('hex')
    .slice(0, 12);
  mkdirSync(DATA, { recursive: true });
  const path = join(DATA, `${full.count}-${key}.acs.gz`);
  if (!existsSync(path)) {
    talk(`generating ${path}`);
    callInOwnProcess(new URL('generate.mjs', import.meta.url).href, 'generateSnapshot', path, full);
  }
  return path;
}

const median = (numbers) => {
  const known = numbers.filter((n) => n !== undefined).sort((a, b) => a - b);
  if (known.length === 0) return undefined;
  return known.length % 2 === 1
    ? known[known.length >> 1]
    : (known[known.length / 2 - 1] + known[known.length / 2]) / 2;
};

async function benchAt(count, rounds, cases, rivals) {
  /** What is run: key → measurements. A rival is run once per round and file. */
  const runs = new Map();
  const jobs = [];
  const skipped = [];
  const addJob = (key, name, input, command, okStatus) => {
    if (runs.has(key)) return;
    runs.set(key, { name, input, samples: [] });
    jobs.push({ key, command, okStatus });
  };
  const folders = [];
  const rivalKey = (name, file) => `${name}\n${file}`;
  for (const bench of cases) {
    if (bench.maxCount !== undefined && count > bench.maxCount) {
      skipped.push({ name: bench.name, why: `only up to ${bench.maxCount} contracts` });
      continue;
    }
    const scratch = mkdtempSync(join(tmpdir(), 'acs-bench-'));
    folders.push(scratch);
    const inputs = {};
    for (const [name, options] of Object.entries(bench.inputs(count))) inputs[name] = await dataFile(options);
    const file = inputs.file ?? Object.values(inputs)[0];
    const context = {
      count,
      inputs,
      scratch,
      acs: (...words) => [process.execPath, join(ROOT, 'dist/cli/acs.cjs'), '--quiet', ...words],
      node: (script, ...args) => [
        process.execPath,
        '--require',
        join(ROOT, 'bench/threads.cjs'),
        join(ROOT, script),
        ...args,
      ],
    };
    await bench.prepare?.(context);
    for (const name of bench.against ?? []) {
      const rival = rivals.find((r) => r.name === name);
      if (rival === undefined) continue;
      if (rival.needs !== undefined && spawnSync(rival.needs[0], rival.needs.slice(1)).status !== 0) {
        if (!skipped.some((s) => s.name === name)) skipped.push({ name, why: `no ${rival.needs[0]} here` });
        continue;
      }
      addJob(rivalKey(name, file), name, file, rival.command({ file, scratch }));
    }
    addJob(bench.name, bench.name, file, bench.command(context), bench.okStatus);
  }
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const job of jobs) {
        const sample = await measure(job.command, { okStatus: job.okStatus ?? [0] });
        const run = runs.get(job.key);
        run.samples.push({ ...sample, stdout: undefined });
        const rss = sample.peakRssBytes === undefined ? '' : `, ${Math.round(sample.peakRssBytes / 1e6)} MB`;
        talk(`round ${round}  ${run.name}: ${sample.wallSeconds.toFixed(2)} s${rss}`);
      }
    }
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }
  const summary = (key) => {
    const run = runs.get(key);
    if (run === undefined) return undefined;
    return {
      name: run.name,
      wallSeconds: median(run.samples.map((s) => s.wallSeconds)),
      cpuSeconds: median(run.samples.map((s) => s.cpuSeconds)),
      peakRssMb: median(run.samples.map((s) => s.peakRssBytes && s.peakRssBytes / 1e6)),
      samples: run.samples,
    };
  };
  const results = [];
  for (const bench of cases) {
    const own = summary(bench.name);
    if (own === undefined) continue;
    const file = runs.get(bench.name).input;
    const others = new Map();
    for (const name of bench.against ?? []) {
      const other = summary(rivalKey(name, file)) ?? summary(name);
      if (other !== undefined) others.set(name, other);
    }
    results.push(judge(bench, own, others, count));
  }
  const rivalResults = [...runs.keys()].filter((key) => key.includes('\n')).map(summary);
  return { count, results, rivals: rivalResults, skipped };
}

const { cases, rivals } = await loadCases();
const chosen = cases.filter(
  (c) => values.only === undefined || values.only.some((part) => c.name.includes(part)),
);
if (chosen.length === 0) {
  talk(`no case matches; there are: ${cases.map((c) => c.name).join(' · ')}`);
  process.exit(2);
}
const machine = {
  node: process.version,
  processors: cpus().length,
  memoryGb: Math.round(totalmem() / 1e9),
  date: new Date().toISOString().slice(0, 10),
};
const sizes = [];
for (const count of values.count.split(',').map(Number)) {
  sizes.push(await benchAt(count, Number(values.rounds), chosen, rivals));
}
const text = sizes.map(resultTable).join('\n\n');
const report = { machine, rounds: Number(values.rounds), sizes };
process.stdout.write(values.json ? `${JSON.stringify(report, null, 1)}\n` : `${text}\n`);
if (values.write) {
  const heading = `Node ${machine.node}, ${machine.processors} processors, ${machine.date}, median of ${values.rounds} rounds.`;
  const readme = readFileSync(README, 'utf8');
  const [before, rest] = readme.split('<!-- results -->');
  const after = rest.split('<!-- /results -->')[1];
  writeFileSync(README, `${before}<!-- results -->\n${heading}\n\n${text}\n<!-- /results -->${after}`);
  writeFileSync(join(ROOT, 'bench/results.json'), `${JSON.stringify(report, null, 1)}\n`);
}
process.exitCode = sizes.some((size) => size.results.some((r) => r.missed.length > 0)) ? 1 : 0;
