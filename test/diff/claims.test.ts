/** Claims: who tells a row, when it may be dropped, and that nothing is lost however the threads take turns. */
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBlob } from '../../src/contract/contractInstance.js';
import { CLAIMING_BYTES, openClaimingSink } from '../../src/diff/claimingSink.js';
import { newClaimsMemory, openClaims, SHOWN, UNCLAIMED } from '../../src/diff/claims.js';
import { hasDroppedTwice, openIdLog } from '../../src/diff/idLog.js';
import { newHashKey, openKeyedHash } from '../../src/diff/keyedHash.js';
import { newRowKey, RowBuilder } from '../../src/diff/rowBuilder.js';
import { openSink } from '../../src/diff/rowSink.js';
import { RowTable } from '../../src/diff/rowTable.js';
import { openVocabulary, type Vocabulary } from '../../src/diff/vocabulary.js';
import { AcsError } from '../../src/io/error.js';
import { encodeRecord } from '../../src/snapshot/encodeRecord.js';
import { RecordView } from '../../src/snapshot/record.js';
import { frameSplitter } from '../../src/wire/frames.js';
import { instance, OTHER_SYNC, SYNC } from './contracts.js';

const hashes = (id: number, row: number): Int32Array => Int32Array.of(id, id * 7, row, row, row);

describe('claims', () => {
  const open = () => openClaims(newClaimsMemory());

  it('belong to the first one, who learns who else has shown the row', () => {
    const claims = open();
    const slot = claims.show(hashes(1, 1), 0, 0, true);
    expect(slot).toBeGreaterThanOrEqual(0);
    expect(claims.inputsOf(slot)).toBe(0b1);
    for (const input of [2, 1]) expect(claims.show(hashes(1, 1), 0, input, true)).toBe(SHOWN);
    expect(claims.release(slot)).toBe(0b111);
    expect(claims.shownTwice).toBe(false);
    // Then it is as new.
    expect(claims.show(hashes(1, 1), 0, 1, false)).toBe(UNCLAIMED);
    const again = claims.show(hashes(1, 1), 0, 1, true);
    expect(claims.release(again)).toBe(0b10);
  });

  it('tell rows apart by every word', () => {
    const claims = open();
    const row = [1, 2, 3, 4, 5];
    const slots = new Set([claims.show(Int32Array.from(row), 0, 0, true)]);
    for (let word = 2; word < 5; word++) {
      const other = Int32Array.from(row);
      other[word]! ^= 1 << 31;
      slots.add(claims.show(other, 0, 0, true));
    }
    expect(slots.size).toBe(4);
    expect(slots.has(SHOWN)).toBe(false);
    // They have filled their bucket.
    expect(claims.show(Int32Array.of(1, 2, 0, 0, 0), 0, 0, true)).toBe(UNCLAIMED);
    expect(claims.show(Int32Array.from(row), 0, 1, true)).toBe(SHOWN);
  });

  it('notice what one input shows twice', () => {
    const claims = open();
    claims.show(hashes(1, 1), 0, 0, true);
    claims.show(hashes(1, 1), 0, 1, true);
    expect(claims.shownTwice).toBe(false);
    claims.show(hashes(1, 1), 0, 1, true);
    expect(claims.shownTwice).toBe(true);
  });

  it('say who is behind', () => {
    const claims = open();
    claims.advance(0, 50);
    expect(claims.behind(10, 2)).toBe(true);
    claims.advance(1, 20);
    expect(claims.behind(10, 2)).toBe(false);
    expect(claims.behind(30, 2)).toBe(true);
    claims.advance(1, Number.POSITIVE_INFINITY);
    expect(claims.behind(50, 2)).toBe(false);
  });
});

/** Shows rows 0, 1, … but for some, and lets those it has claimed wait for a while. */
const SHOWING = `
const { workerData, parentPort } = require('node:worker_threads');
const { module, memory, input, rows, waiting } = workerData;
import(module).then(({ openClaims }) => {
  const claims = openClaims(memory);
  const hashes = new Int32Array(5);
  const shown = new Uint8Array(rows);
  const told = new Int32Array(rows);
  const queue = [];
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let row = 0; row < rows; row++) {
    claims.advance(input, row);
    while (claims.behind(row - 30, 3)) Atomics.wait(pause, 0, 0, 0.1);
    if (Math.imul(row ^ input, 0x9e3779b1) >>> 28 === 0) continue;
    shown[row] = 1;
    // A few buckets only, and hashes that differ in one word.
    hashes.set([row & 15, 0, 7, row, 7]);
    const slot = claims.show(hashes, 0, input, true);
    if (slot === -2) told[row] = 1 << input;
    else if (slot >= 0) queue.push(slot, row);
    if (queue.length > 2 * waiting) told[queue[1]] = claims.release(queue[0]), queue.splice(0, 2);
  }
  claims.advance(input, Infinity);
  for (let i = 0; i < queue.length; i += 2) told[queue[i + 1]] = claims.release(queue[i]);
  parentPort.postMessage({ shown, told, twice: claims.shownTwice });
});`;

describe('claims of threads that run at once', () => {
  it('tell every row an input shows once for it', async () => {
    const rows = 100_000;
    const memory = newClaimsMemory();
    const module = new URL('../../dist/diff/claims.js', import.meta.url).href;
    const results = await Promise.all(
      [0, 1, 2].map(
        (input) =>
          new Promise<{ shown: Uint8Array; told: Int32Array; twice: boolean }>((resolve, reject) => {
            const workerData = { module, memory, input, rows, waiting: 20 + input };
            new Worker(SHOWING, { eval: true, workerData }).on('message', resolve).on('error', reject);
          }),
      ),
    );
    let wrong = 0;
    let shared = 0;
    for (let row = 0; row < rows; row++) {
      let shown = 0;
      let told = 0;
      let sum = 0;
      for (const [input, result] of results.entries()) {
        shown |= result.shown[row]! << input;
        told |= result.told[row]!;
        sum += result.told[row]!;
      }
      // No bit twice.
      if (told !== shown || sum !== told) wrong++;
      if (results.some((result) => result.told[row] === 7)) shared++;
    }
    expect(wrong).toBe(0);
    expect(shared).toBeGreaterThan(rows / 10);
    expect(results.some(({ twice }) => twice)).toBe(false);
  });
});

describe('a log of contracts', () => {
  it('tells whether one with a dropped row has others', () => {
    const entry = fc.record({
      first: fc.constantFrom(0, 1, -1, 1 << 30),
      second: fc.nat(40),
      dropped: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), fc.nat(3), (entries, threads) => {
        const logs = Array.from({ length: threads + 1 }, openIdLog);
        entries.forEach(({ first, second, dropped }, i) => {
          logs[i % logs.length]!.note(first, second << 1, dropped);
        });
        const expected = entries.some((a, i) =>
          entries.some((b, j) => i !== j && a.dropped && a.first === b.first && a.second === b.second),
        );
        expect(hasDroppedTwice(logs.flatMap((log) => log.take()))).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('holds many', () => {
    const log = openIdLog();
    const word = (n: number): number => Math.imul(n, 0x9e3779b1);
    for (let n = 0; n < 50_000; n++) log.note(word(n), word(n + 7), n % 3 > 0);
    const pages = log.take();
    expect(pages.length).toBeGreaterThan(3);
    expect(hasDroppedTwice(pages)).toBe(false);
    log.note(word(3), word(10), false);
    expect(hasDroppedTwice([...pages, ...log.take()])).toBe(false);
    log.note(word(4), word(11), false);
    expect(hasDroppedTwice([...pages, ...log.take()])).toBe(true);
  });
});

function rowOf(table: RowTable, row: number): string {
  const at = table.offsetOf(row);
  return table
    .blockOf(row)
    .slice(at, at + table.rowWords)
    .join();
}

interface Shown {
  n: number;
  sync: string;
  counter: bigint;
  argument: string;
  represented: string;
  form: 'usual' | 'payload first' | 'two ids' | 'long' | 'in flight';
}

const plainContract: Shown = {
  n: 0,
  sync: SYNC,
  counter: 0n,
  argument: 'a',
  represented: '',
  form: 'usual',
};

const shown: fc.Arbitrary<Shown> = fc.record({
  n: fc.integer({ min: 0, max: 30 }),
  sync: fc.constantFrom(SYNC, SYNC, SYNC, OTHER_SYNC),
  counter: fc.constantFrom(0n, 0n, 0n, 1n, 1n << 33n),
  argument: fc.constantFrom('a', 'a', 'a', 'b'),
  represented: fc.constantFrom('', '', 'cd'.repeat(32)),
  form: fc.constantFrom('usual', 'usual', 'usual', 'usual', 'payload first', 'two ids', 'long', 'in flight'),
});

function frameOf({ n, sync, counter, argument, represented, form }: Shown): Buffer {
  if (form === 'in flight') return Buffer.from('040a00101e', 'hex');
  const contract = instance(n, {
    createArgument: form === 'long' ? Buffer.alloc(70_000, argument) : Buffer.from(argument),
  });
  let blob = encodeBlob(contract);
  if (form === 'payload first') blob = Buffer.concat([blob.subarray(5), blob.subarray(0, 5)]);
  if (form === 'two ids') {
    // The id of another contract in front: the last one counts.
    const other = Buffer.from(instance(n + 1).contractId, 'hex');
    const { payload } = payloadOf(blob);
    const doubled = Buffer.concat([Buffer.from([0x0a, other.length]), other, payload]);
    blob = Buffer.concat([blob.subarray(0, 5), Buffer.from([0x12, ...varint(doubled.length)]), doubled]);
  }
  return encodeRecord({
    synchronizerId: sync,
    reassignmentCounter: counter,
    createdEvent: {
      contractId: contract.contractId,
      createdEventBlob: blob,
      representativePackageId: represented,
    },
  });
}

function varint(n: number): number[] {
  return n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...varint(n >>> 7)];
}

/** Behind the version, tag and length of the payload. */
function payloadOf(blob: Buffer): { payload: Buffer } {
  let at = 6;
  while (blob[at++]! >= 0x80);
  return { payload: blob.subarray(at) };
}

/** Every row with the inputs that show it. */
function contents(table: RowTable): string[] {
  const rows: string[] = [];
  table.eachRow((block, offset) => {
    rows.push(block.slice(offset, offset + table.rowWords).join());
  });
  return rows.sort();
}

/** Whether `add` meets a contract that an input shows twice. */
function meetsTwice(add: () => void): boolean {
  try {
    add();
    return false;
  } catch (error) {
    if (error instanceof AcsError && error.code === 'DIFF_DUPLICATE_CONTRACT') return true;
    throw error;
  }
}

describe('threads that share claims', () => {
  const names = ['a', 'b', 'c'];
  const key = newRowKey();
  const hashKey = newHashKey();
  const memories = names.map(() => openKeyedHash(hashKey, CLAIMING_BYTES)!);

  /** The rows of all inputs without claims; undefined when an input shows a contract twice. */
  function plainTable(inputs: readonly Buffer[][], vocabulary: Vocabulary): RowTable | undefined {
    const table = new RowTable(names.slice(0, inputs.length));
    const twice = meetsTwice(() => {
      inputs.forEach((frames, input) => {
        const builder = new RowBuilder(vocabulary, inputs.length, key);
        const sink = openSink(builder, undefined, (words) => void table.add(words, 0), input, 'input');
        for (const frame of frames) sink.record(recordOf(frame));
      });
    });
    return twice ? undefined : table;
  }

  /**
   * Takes the records of several inputs in the order of `turns`, then what is left. Undefined when the inputs have to be
   * read without claims.
   */
  function claimedTable(
    inputs: readonly Buffer[][],
    vocabulary: Vocabulary,
    turns: readonly number[],
    drops = true,
  ): { table: RowTable; dropped: number; told: number } | undefined {
    const table = new RowTable(names.slice(0, inputs.length));
    const claims = openClaims(newClaimsMemory());
    const ids = inputs.map(openIdLog);
    let told = 0;
    const threads = inputs.map((frames, input) => {
      const builder = new RowBuilder(vocabulary, inputs.length, key);
      const sink = openClaimingSink({
        builder,
        hash: memories[input]!,
        claims,
        input,
        inputs: inputs.length,
        ids: drops ? ids[input] : undefined,
        pageRows: 3,
        tell: () => {
          table.add(builder.words, 0);
          told++;
        },
      });
      return { frames: [...frames], sink };
    });
    const step = ({ frames, sink }: (typeof threads)[number]): void => {
      const frame = frames.shift();
      if (frame !== undefined) sink.record(recordOf(frame));
    };
    const twice = meetsTwice(() => {
      for (const turn of turns) step(threads[turn % threads.length]!);
      for (const thread of threads) {
        while (thread.frames.length > 0) step(thread);
        thread.sink.finish();
      }
    });
    const dropped = threads.reduce((sum, { sink }) => sum + sink.dropped, 0);
    if (twice || claims.shownTwice || hasDroppedTwice(ids.flatMap((log) => log.take()))) return undefined;
    return { table, dropped, told };
  }

  /** What becomes of a contract of the common list in one input: mostly nothing. */
  const change = fc.oneof(
    { weight: 20, arbitrary: fc.constant((c: Shown) => [c]) },
    { weight: 1, arbitrary: fc.constant(() => []) },
    { weight: 1, arbitrary: shown.map((other) => (c: Shown) => [{ ...other, n: c.n }]) },
    { weight: 1, arbitrary: shown.map((other) => (c: Shown) => [c, other]) },
  );
  const lists = fc
    .tuple(
      fc.array(shown, { maxLength: 25 }),
      fc.array(fc.array(change, { minLength: 25, maxLength: 25 }), { minLength: 2, maxLength: 3 }),
    )
    .map(([common, inputs]) => inputs.map((changes) => common.flatMap((c, i) => changes[i]!(c))));
  const order = fc.array(fc.nat(2), { minLength: 40, maxLength: 75 });
  const mostly = fc.constantFrom(true, true, true, false);

  it('lose nothing, invent nothing and drop only what all of them show alike', () => {
    let clear = 0;
    let withDrops = 0;
    fc.assert(
      fc.property(lists, order, mostly, fc.boolean(), (contracts, turns, drops, once) => {
        const inputs = contracts.map((list) =>
          (once ? list.filter((c, i) => list.findIndex((d) => d.n === c.n) === i) : list).map(frameOf),
        );
        const vocabulary = openVocabulary();
        const plain = plainTable(inputs, vocabulary);
        const claimed = claimedTable(inputs, vocabulary, turns, drops);
        if (plain === undefined) expect(claimed).toBeUndefined();
        // Then the inputs are read without claims.
        if (plain === undefined || claimed === undefined) return;
        clear++;
        if (claimed.dropped > 0) withDrops++;
        const told = contents(claimed.table);
        const expected = contents(plain);
        const left = new Set(told);
        const missing = expected.filter((row) => !left.delete(row));
        expect([...left]).toEqual([]);
        expect(missing.length).toBe(claimed.dropped);
        const everywhere: string[] = [];
        plain.eachContract((head) => {
          if (plain.isUniform(head, Int32Array.of(2 ** inputs.length - 1)))
            everywhere.push(rowOf(plain, head));
        });
        expect(everywhere).toEqual(expect.arrayContaining(missing));
      }),
      { numRuns: 600 },
    );
    expect(clear).toBeGreaterThan(100);
    expect(withDrops).toBeGreaterThan(30);
  });

  it('tell hardly anything of contracts that every input shows once', () => {
    const inOrder = Array.from({ length: 40 }, (_, n) => n);
    const frames = inOrder.map((n) => frameOf({ ...plainContract, n }));
    const turns = inOrder.flatMap(() => [0, 1]);
    const claimed = claimedTable([frames, frames], openVocabulary(), turns)!;
    // But for the last ones, which are settled before the other one has shown them.
    expect(claimed.dropped).toBeGreaterThan(35);
    expect(claimed.table.size + claimed.dropped).toBe(40);
    // Without dropping each is told once for both.
    expect(claimedTable([frames, frames], openVocabulary(), turns, false)!.told).toBeLessThan(45);
    // In another order nearly each is told by both.
    const backwards = claimedTable([frames, [...frames].reverse()], openVocabulary(), turns)!;
    expect(backwards.table.size + backwards.dropped).toBe(40);
    expect(backwards.told).toBeGreaterThan(60);
  });

  it('are not clear either when the other row did not wait', () => {
    const others = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => frameOf({ ...plainContract, n: from + i }));
    const both = frameOf(plainContract);
    const again = frameOf({ ...plainContract, argument: 'b' });
    const turns = [0, 0, 0, 0, 1, 1, 1, 1];
    // Of its first page the first one drops a row and tells two, which is why it lets none wait after that.
    const first = [both, ...others(100, 6)];
    const second = [both, ...others(200, 3)];
    const sound = claimedTable([[...first, ...others(110, 1)], second], openVocabulary(), turns)!;
    expect(sound).toMatchObject({ dropped: 1, told: 10 });
    expect(claimedTable([[...first, again], second], openVocabulary(), turns)).toBeUndefined();
  });

  it('are not clear about contracts that have more rows than one that is dropped', () => {
    const common = Array.from({ length: 12 }, (_, n) => frameOf({ ...plainContract, n }));
    const turns = common.flatMap(() => [0, 1]);
    const withLast = (last: Shown) =>
      claimedTable([common, [...common, frameOf(last)]], openVocabulary(), turns);
    expect(withLast({ ...plainContract, n: 20 })!.dropped).toBeGreaterThan(8);
    for (const n of [0, 3, 6]) {
      expect(withLast({ ...plainContract, n })).toBeUndefined();
      for (const form of ['usual', 'payload first', 'two ids', 'long'] as const)
        expect(withLast({ ...plainContract, n, argument: 'b', form })).toBeUndefined();
    }
  });
});

function recordOf(frame: Buffer): RecordView {
  const view = new RecordView();
  const splitter = frameSplitter();
  splitter.push(frame, (buf, start, bodyStart, end, offset) => {
    view.parse(buf, start, bodyStart, end, offset, 0);
  });
  return view;
}
