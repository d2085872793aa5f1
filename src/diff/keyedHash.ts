/**
 * A universal hash in WebAssembly, by which the threads of one comparison find out whether they have read the same:
 * 96 bits of a message of at most {@link MAX_HASHED_BYTES} and twice 32 bits of the contract id inside of it.
 *
 * Under a key drawn at random for the comparison, which never leaves the process, two different messages have the same
 * 96 bits with a probability of at most 2^-96 + 2^-128, whoever chose them: to do better one would have to know the key.
 * Two contract ids have the same 64 bits with at most 2^-64, independently of the former. The two levels:
 *
 * 1. NH (Black, Halevi, Krawczyk, Krovetz, Rogaway: UMAC, 1999; RFC 4418) over blocks of 1 KiB: the sum of products of
 *    32-bit words, each with a key word added. Two different blocks have the same sum with at most 2^-32; four sums under
 *    keys of their own with at most 2^-128.
 * 2. Multilinear hashing (Lemire and Kaser, 2014) of all sums and the length: the upper half of a sum of products with
 *    64-bit key words modulo 2^64, strongly universal: at most 2^-32 for each of three words under keys of their own. Ids
 *    are hashed by this level alone, twice.
 *
 * What has the same length is padded alike with zeros; what has not differs in the length that level 2 takes.
 */
import { randomFillSync } from 'node:crypto';
import {
  assembleModule,
  I32,
  I64,
  InstructionWriter,
  V128,
  type WasmFunction,
  webAssembly,
} from '../wire/wasmAssembler.js';

const BLOCK_BYTES = 1024;
const STEP_BYTES = 32;
const SUMS = 4;
const MAX_BLOCKS = 64;
export const MAX_HASHED_BYTES = MAX_BLOCKS * BLOCK_BYTES;
const MAX_ID_WORDS = 24;

/** Memory: the results, the keys of both levels and of the ids, then room for messages. */
const RESULT = 0;
const BLOCK_KEYS = 64;
const SUM_KEYS = BLOCK_KEYS + SUMS * BLOCK_BYTES;
/** Per result: a constant, the factor of the length, those of the halves of the sums of every block. */
const SUM_KEY_BYTES = 8 * (2 + MAX_BLOCKS * SUMS * 2);
const RESULTS = 3;
const ID_KEYS = SUM_KEYS + RESULTS * SUM_KEY_BYTES;
const ID_KEY_BYTES = 8 * (2 + MAX_ID_WORDS);
const ID_RESULTS = 2;
const KEYS_END = ID_KEYS + ID_RESULTS * ID_KEY_BYTES;
const PAGE = 65536;
/** Where messages may begin. */
export const MESSAGE_START = PAGE;

/** Bytes of a key: all that lies before the messages but the results. */
const KEY_BYTES = KEYS_END - BLOCK_KEYS;

/** A key for one comparison. */
export function newHashKey(): Uint8Array {
  return randomFillSync(new Uint8Array(KEY_BYTES));
}

export interface KeyedHash {
  /** The memory, where callers put their messages; each needs {@link STEP_BYTES} bytes of room behind it. */
  readonly bytes: Buffer;
  readonly words: DataView;
  /**
   * Hashes the message of `length` bytes at `at` and, as part of it or not, the `idLength` bytes at `id`, at most 72;
   * puts zeros behind the message.
   */
  hash(at: number, length: number, id: number, idLength: number): void;
  /** What {@link hash} found: two words of the id, then three of the message. */
  readonly result: Int32Array;
}

interface Exports {
  readonly memory: { buffer: ArrayBuffer };
  hash(at: number, length: number, id: number, idLength: number): void;
}

/** Bytes that must be free behind a message. */
export const HASH_ROOM = STEP_BYTES;

/** With room for `bytes` bytes of messages. Undefined where there is no WebAssembly with vectors. */
export function openKeyedHash(key: Uint8Array, bytes: number): KeyedHash | undefined {
  const pages = MESSAGE_START / PAGE + Math.ceil((bytes + STEP_BYTES) / PAGE);
  const module = assembleModule(pages, [hashFunction()]);
  if (webAssembly?.validate(module) !== true) return undefined;
  const { memory, hash } = new webAssembly.Instance(new webAssembly.Module(module)).exports as Exports;
  new Uint8Array(memory.buffer).set(key, BLOCK_KEYS);
  return {
    bytes: Buffer.from(memory.buffer),
    words: new DataView(memory.buffer),
    hash,
    result: new Int32Array(memory.buffer, RESULT, ID_RESULTS + RESULTS),
  };
}

/** True where {@link openKeyedHash} gives one. */
export function canHash(): boolean {
  return webAssembly?.validate(assembleModule(1, [hashFunction()])) === true;
}

function hashFunction(): WasmFunction {
  const [at, length, id, idLength] = [0, 1, 2, 3];
  const [end, blockEnd, key, sumKey] = [4, 5, 6, 7];
  const sum = (i: number): number => 8 + i;
  const [left, right] = [12, 13];
  const result = (i: number): number => 14 + i;
  const [lane, word] = [17, 18];
  const w = new InstructionWriter();
  /** `result[i] += key * value`, the key at the address on the stack plus `offset`. */
  const addProduct = (
    b: InstructionWriter,
    i: number,
    address: number,
    offset: number,
    value: () => void,
  ) => {
    b.get(result(i)).get(address).i64Load(offset);
    value();
    b.i64Multiply().i64Add().set(result(i));
  };

  // Zeros up to a whole step; more than needed, but there is room.
  for (const offset of [0, 16]) w.get(at).get(length).i32Add().v128Const(0n, 0n).store(offset);
  w.get(at)
    .get(length)
    .i32Const(STEP_BYTES - 1)
    .i32Add();
  w.i32Const(-STEP_BYTES).i32And().i32Add().set(end);
  for (let i = 0; i < RESULTS; i++) {
    const keys = SUM_KEYS + i * SUM_KEY_BYTES;
    w.i32Const(0).i64Load(keys).set(result(i));
    w.i32Const(0).set(key);
    addProduct(w, i, key, keys + 8, () => w.get(length).i64ExtendUnsigned());
  }
  w.i32Const(0).set(sumKey);
  w.get(at).get(end).i32LessUnsigned();
  w.whenTrue((some) =>
    some.repeatWhile((blocks) => {
      blocks.get(at).i32Const(BLOCK_BYTES).i32Add().get(end);
      blocks.get(at).i32Const(BLOCK_BYTES).i32Add().get(end).i32LessUnsigned().select().set(blockEnd);
      blocks.i32Const(0).set(key);
      for (let i = 0; i < SUMS; i++) blocks.v128Const(0n, 0n).set(sum(i));
      blocks.repeatWhile((steps) => {
        for (let i = 0; i < SUMS; i++) {
          const keys = BLOCK_KEYS + i * BLOCK_BYTES;
          steps.get(at).load(0).get(key).load(keys).add32().set(left);
          steps
            .get(at)
            .load(16)
            .get(key)
            .load(keys + 16)
            .add32()
            .set(right);
          steps.get(sum(i)).get(left).get(right).multiplyLow32().add64();
          steps.get(left).get(right).multiplyHigh32().add64().set(sum(i));
        }
        steps.get(key).i32Const(STEP_BYTES).i32Add().set(key);
        steps.get(at).i32Const(STEP_BYTES).i32Add().tee(at).get(blockEnd).i32LessUnsigned();
      });
      for (let i = 0; i < SUMS; i++) {
        blocks.get(sum(i)).lane64(0).get(sum(i)).lane64(1).i64Add().set(lane);
        for (let r = 0; r < RESULTS; r++) {
          const keys = SUM_KEYS + r * SUM_KEY_BYTES + 16 * (1 + i);
          addProduct(blocks, r, sumKey, keys, () => blocks.get(lane).i64Const(0xffffffffn).i64And());
          addProduct(blocks, r, sumKey, keys + 8, () => blocks.get(lane).i64ShiftRight(32));
        }
      }
      blocks
        .get(sumKey)
        .i32Const(16 * SUMS)
        .i32Add()
        .set(sumKey);
      blocks.get(at).get(end).i32LessUnsigned();
    }),
  );
  for (let i = 0; i < RESULTS; i++)
    w.i32Const(0)
      .get(result(i))
      .i64ShiftRight(32)
      .i64StoreWord(RESULT + 4 * (ID_RESULTS + i));

  // The id: its length, its whole words, its last bytes one by one.
  w.i32Const(0).set(key);
  for (let i = 0; i < ID_RESULTS; i++) {
    const keys = ID_KEYS + i * ID_KEY_BYTES;
    w.i32Const(0).i64Load(keys).set(result(i));
    addProduct(w, i, key, keys + 8, () => w.get(idLength).i64ExtendUnsigned());
  }
  for (const [bytes, load] of [
    [4, (b: InstructionWriter) => b.i64LoadWord(0)],
    [1, (b: InstructionWriter) => b.i64LoadByte(0)],
  ] as const) {
    w.get(id).get(idLength).i32Const(-bytes).i32And().i32Add().set(end);
    w.get(id).get(end).i32LessUnsigned();
    w.whenTrue((some) =>
      some.repeatWhile((loop) => {
        load(loop.get(id)).set(word);
        for (let i = 0; i < ID_RESULTS; i++)
          addProduct(loop, i, key, ID_KEYS + i * ID_KEY_BYTES + 16, () => loop.get(word));
        loop.get(key).i32Const(8).i32Add().set(key);
        loop.get(id).i32Const(bytes).i32Add().tee(id).get(end).i32LessUnsigned();
      }),
    );
    w.get(idLength)
      .i32Const(bytes - 1)
      .i32And()
      .set(idLength);
  }
  for (let i = 0; i < ID_RESULTS; i++)
    w.i32Const(0)
      .get(result(i))
      .i64ShiftRight(32)
      .i64StoreWord(RESULT + 4 * i);
  return {
    name: 'hash',
    params: [I32, I32, I32, I32],
    locals: [I32, I32, I32, I32, V128, V128, V128, V128, V128, V128, I64, I64, I64, I64, I64],
    body: w,
  };
}
