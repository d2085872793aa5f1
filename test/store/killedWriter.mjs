#!/usr/bin/env node
/**
 * A writer to be killed: loads or appends, printing every acknowledged position on a line of its own.
 *
 *   node killedWriter.mjs DIST load|append STORE FILE BATCH
 */
const [dist, what, store, file, batch] = process.argv.slice(2);
/** Small enough that the threads that read and draft have to do too. */
const draftBatchBytes = 4096;
const threadFrom = 0;
const say = (line) => process.stdout.write(`${line}\n`);
if (what === 'load') {
  const { loadBase } = await import(`${dist}/store/load.js`);
  await loadBase(store, file, {
    source: 'p',
    offset: 5n,
    batch: Number(batch),
    draftBatchBytes,
    onCommit: (n) => say(n),
  });
} else {
  const { appendUpdates } = await import(`${dist}/store/append.js`);
  await appendUpdates(store, [file], {
    source: 'p',
    begin: 0n,
    batch: Number(batch),
    draftBatchBytes,
    threadFrom,
    onCommit: ({ head }) => say(head),
  });
}
say('done');
