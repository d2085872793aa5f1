#!/usr/bin/env node
/**
 * One measurement of the store, as one line of JSON.
 *
 *   node --require ./bench/threads.cjs bench/tasks/store.mjs load|append|query|export FOLDER [count]
 */
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { appendUpdates } from '../../dist/store/append.js';
import { activeRows, countActive, resolveQuestion } from '../../dist/store/ask.js';
import { exportSnapshot } from '../../dist/store/exportSnapshot.js';
import { loadBase } from '../../dist/store/load.js';
import { withStore } from '../../dist/store/open.js';
import { DEFLATE_LEVEL } from '../../dist/wire/deflate.js';
import { owner, storeData } from './storeData.mjs';

const [what, folder, countText] = process.argv.slice(2);
const count = Number(countText ?? 1_000_000);
const { base, stream } = await storeData(folder, count);
const loaded = join(folder, `store-${count}.loaded.db`);
const appended = join(folder, `store-${count}.appended.db`);
const remove = (path) => {
  for (const end of ['', '-wal', '-shm', '.writer']) rmSync(path + end, { force: true });
};
const seconds = (from) => Number(process.hrtime.bigint() - from) / 1e9;

/** The peak so far, in MB. */
const peak = () => Math.round((process.resourceUsage().maxRSS * 1024) / 1e6);
const started = process.hrtime.bigint();
const result = { what, count };
if (what === 'load') {
  remove(loaded);
  const { contracts } = await loadBase(loaded, base, { source: 'p', offset: 5n });
  result.perSecond = Math.round(contracts / seconds(started));
  result.peakRssMb = peak();
  const blobs = await withStore(loaded, {}, ({ db }) =>
    db.prepare('SELECT sum(length(blob)) FROM contract_blob').pluck().get(),
  );
  result.blobBytes = blobs / count;
  result.bytesBesideBlob = (statSync(loaded).size - blobs) / count;
} else if (what === 'append') {
  remove(appended);
  const { events, updates } = await appendUpdates(appended, [stream], { source: 'p', begin: 0n });
  Object.assign(result, { events, updates, perSecond: Math.round(events / seconds(started)) });
  result.peakRssMb = peak();
  const blobs = await withStore(appended, {}, ({ db }) =>
    db.prepare('SELECT sum(length(blob)) FROM contract_blob').pluck().get(),
  );
  result.bytesBesideBlob = (statSync(appended).size - blobs) / count;
} else if (what === 'query') {
  await withStore(appended, {}, ({ db }) => {
    const head = resolveQuestion(db, undefined, {}).source.head;
    const offset = (head * 5n) / 6n;
    const times = [];
    let rows = 0;
    for (let i = 0; i < 20; i++) {
      const from = process.hrtime.bigint();
      const q = resolveQuestion(db, undefined, { offset, parties: [owner(i + 5)] });
      rows = [...activeRows(db, q)].length;
      times.push(seconds(from) * 1000);
    }
    times.sort((a, b) => a - b);
    result.partyRows = rows;
    result.partyMs = times[10];
    result.partyMsMax = times[19];
    const from = process.hrtime.bigint();
    result.active = countActive(db, resolveQuestion(db, undefined, { offset }));
    result.countMs = seconds(from) * 1000;
  });
} else if (what === 'export') {
  const out = join(folder, `store-${count}.out.acs.gz`);
  for (const level of [DEFLATE_LEVEL, 1]) {
    const from = process.hrtime.bigint();
    const { contracts } = await exportSnapshot(appended, out, { level });
    result[`perSecondLevel${level}`] = Math.round(contracts / seconds(from));
  }
  remove(out);
} else throw new Error('load, append, query or export');
const usage = process.resourceUsage();
result.seconds = seconds(started);
result.cpuSeconds = (usage.userCPUTime + usage.systemCPUTime) / 1e6;
result.peakRssMb ??= peak();
process.stdout.write(`${JSON.stringify(result)}\n`);
