/** Claims: who tells a row, when it may be dropped, and that nothing is lost however the threads take turns. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBlob } from '../../src/contract/contractInstance.js';
import { CLAIMING_BYTES, openClaimingSink } from '../../src/diff/claimingSink.js';
import { newClaimsMemory, openClaims, SHOWN, UNCLAIMED } from '../../src/diff/claims.js';
import { newRowKey, openVocabulary, RowBuilder, type Vocabulary } from '../../src/diff/fingerprint.js';
import { openRows } from '../../src/diff/keptRows.js';
import { newHashKey, openKeyedHash } from '../../src/diff/keyedHash.js';
import { openSink } from '../../src/diff/rowSink.js';
import { RowTable } from '../../src/diff/rowTable.js';
import { AcsError } from '../../src/io/error.js';
import { encodeRecord } from '../../src/snapshot/encodeRecord.js';
import { RecordView } from '../../src/snapshot/record.js';
import { frameSplitter } from '../../src/wire/frames.js';
import { instance, OTHER_SYNC, SYNC } from './contracts.js';

const hashes = (id: number, row: number): Int32Array => Int32Array.of(id, id * 7, row, row, row);

describe('claims', () => {
  const open = (rows = 100) => openClaims(newClaimsMemory(rows, 1 << 20));

  it('give a row to the first one and drop it once all have shown it', () => {
    const claims = open();
    const slot = claims.show(hashes(1, 1), 0, 0, false);
    expect(slot).toBeGreaterThanOrEqual(0);
    expect(claims.drop(slot, 0b111)).toBe(false);
    expect(claims.show(hashes(1, 1), 0, 2, false)).toBe(SHOWN);
    expect(claims.drop(slot, 0b111)).toBe(false);
    expect(claims.show(hashes(1, 1), 0, 1, false)).toBe(SHOWN);
    expect(claims.inputsOf(slot)).toBe(0b111);
    expect(claims.drop(slot, 0b111)).toBe(true);
    expect(claims.drop(slot, 0b111)).toBe(false);
    expect(claims.ambiguous).toBe(false);
  });

  it('keep rows of one contract', () => {
    const claims = open();
    const first = claims.show(hashes(1, 1), 0, 0, false);
    const second = claims.show(hashes(1, 2), 0, 0, false);
    expect(second).not.toBe(first);
    for (const row of [1, 2]) expect(claims.show(hashes(1, row), 0, 1, false)).toBe(SHOWN);
    expect(claims.drop(first, 0b11)).toBe(false);
    expect(claims.drop(second, 0b11)).toBe(false);
    expect(claims.ambiguous).toBe(false);
  });

  it('notice what comes after a row was dropped, and what one input shows twice', () => {
    for (const late of [
      (claims: ReturnType<typeof open>) => claims.show(hashes(1, 2), 0, 0, false),
      (claims: ReturnType<typeof open>) => claims.show(hashes(1, 1), 0, 0, true),
      (claims: ReturnType<typeof open>) => claims.passBy(hashes(1, 1), 0),
      (claims: ReturnType<typeof open>) => claims.show(hashes(1, 1), 0, 0, false),
    ]) {
      const claims = open();
      const slot = claims.show(hashes(1, 1), 0, 0, false);
      claims.show(hashes(1, 1), 0, 1, false);
      expect(claims.drop(slot, 0b11)).toBe(true);
      expect(claims.ambiguous).toBe(false);
      late(claims);
      expect(claims.ambiguous).toBe(true);
    }
  });

  it('take nothing for equal to a row without hash', () => {
    const claims = open();
    const first = claims.show(hashes(1, 0), 0, 0, true);
    expect(claims.show(hashes(1, 0), 0, 1, true)).not.toBe(SHOWN);
    expect(claims.show(hashes(1, 0), 0, 1, false)).not.toBe(SHOWN);
    expect(claims.inputsOf(first)).toBe(1);
  });

  it('close when they are full', () => {
    const claims = openClaims(newClaimsMemory(1e6, 1));
    let slots = 0;
    while (!claims.closed) {
      const slot = claims.show(hashes(slots, slots), 0, 0, false);
      if (slot === UNCLAIMED) break;
      slots++;
    }
    expect(claims.closed).toBe(true);
    expect(slots).toBe(Math.floor(1024 * 0.7));
    // What is there can still be passed by.
    claims.passBy(hashes(5, 0), 0);
    expect(claims.ambiguous).toBe(false);
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
   * Takes the records of several inputs in the order of `turns`, then what is left; closes the claims before turn
   * `closing`. Undefined when the inputs have to be read without claims.
   */
  function claimedTable(
    inputs: readonly Buffer[][],
    vocabulary: Vocabulary,
    {
      turns,
      droppable = true,
      closing = -1,
    }: { turns: readonly number[]; droppable?: boolean; closing?: number },
  ): { table: RowTable; dropped: number } | undefined {
    const table = new RowTable(names.slice(0, inputs.length));
    const claims = openClaims(newClaimsMemory(100, 1 << 20));
    const rows = openRows(table, 1e9, undefined, claims);
    const threads = inputs.map((frames, input) => {
      const builder = new RowBuilder(vocabulary, inputs.length, key);
      const sink = openClaimingSink({
        builder,
        hash: memories[input]!,
        claims,
        input,
        inputs: inputs.length,
        droppable: droppable ? 2 ** inputs.length - 1 : undefined,
        pageRows: 3,
        tell: (slot) => rows.add(builder.words, 0, input, slot),
      });
      return { frames: [...frames], sink };
    });
    const step = ({ frames, sink }: (typeof threads)[number]): void => {
      const frame = frames.shift();
      if (frame !== undefined) sink.record(recordOf(frame));
    };
    const twice = meetsTwice(() => {
      turns.forEach((turn, i) => {
        if (i === closing) claims.close();
        step(threads[turn % threads.length]!);
      });
      for (const thread of threads) {
        while (thread.frames.length > 0) step(thread);
        thread.sink.finish();
      }
    });
    rows.drop(threads.reduce((sum, { sink }) => sum + sink.dropped, 0));
    rows.settle();
    return twice || rows.unclear() ? undefined : { table, dropped: rows.dropped };
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
  const schedule = fc.record({
    turns: fc.array(fc.nat(2), { minLength: 40, maxLength: 75 }),
    droppable: fc.constantFrom(true, true, true, false),
    closing: fc.oneof(fc.constant(-1), fc.integer({ min: 5, max: 60 })),
  });

  it('lose nothing, invent nothing and drop only what all of them show alike', () => {
    let clear = 0;
    let withDrops = 0;
    fc.assert(
      fc.property(lists, schedule, fc.boolean(), (contracts, how, once) => {
        const inputs = contracts.map((list) =>
          (once ? list.filter((c, i) => list.findIndex((d) => d.n === c.n) === i) : list).map(frameOf),
        );
        const vocabulary = openVocabulary();
        const plain = plainTable(inputs, vocabulary);
        const claimed = claimedTable(inputs, vocabulary, how);
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

  it('notice what comes after the claims were closed', () => {
    const usual = { n: 0, sync: SYNC, counter: 0n, argument: 'a', represented: '', form: 'usual' } as const;
    const common = Array.from({ length: 12 }, (_, n) => frameOf({ ...usual, n }));
    const [one, two] = [frameOf({ ...usual, n: 20 }), frameOf({ ...usual, n: 21 })];
    const turns = [...common, 0].flatMap(() => [0, 1]);
    const how = { turns, closing: 24 };
    const withLast = (a: Buffer, b: Buffer, droppable = true) =>
      claimedTable(
        [
          [...common, a],
          [...common, b],
        ],
        openVocabulary(),
        { ...how, droppable },
      );
    const result = withLast(one, two)!;
    expect(result.dropped).toBeGreaterThan(2);
    expect(result.dropped + result.table.size).toBe(14);
    // The first of those that are dropped is shown again, or something else of it.
    for (const droppable of [true, false]) expect(withLast(one, common[0]!, droppable)).toBeUndefined();
    for (const form of ['usual', 'payload first', 'two ids', 'long'] as const)
      expect(withLast(one, frameOf({ ...usual, argument: 'b', form }))).toBeUndefined();
    // The last of the common ones, which waits when the claims are closed.
    for (const droppable of [true, false])
      expect(withLast(one, frameOf({ ...usual, n: 11 }), droppable)).toBeUndefined();
  });

  it('tell nothing of contracts that every input shows once', () => {
    const inOrder = Array.from({ length: 40 }, (_, n) => n);
    const frames = inOrder.map((n) =>
      frameOf({ n, sync: SYNC, counter: 0n, argument: 'a', represented: '', form: 'usual' }),
    );
    const turns = inOrder.flatMap(() => [0, 1]);
    const claimed = claimedTable([frames, frames], openVocabulary(), { turns });
    // But for the last ones, which are settled before the other one has shown them.
    expect(claimed!.dropped).toBeGreaterThan(35);
    expect(claimed!.table.size + claimed!.dropped).toBe(40);
    // In another order each is told by one of them, and the other one adds itself.
    const backwards = claimedTable([frames, [...frames].reverse()], openVocabulary(), { turns });
    expect(backwards!.table.size + backwards!.dropped).toBe(40);
    expect(backwards!.table.size).toBeGreaterThan(25);
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
