/**
 * The hash core as a WebAssembly program: BLAKE2Xb to 2048 bytes (commitments spec, section 1.2) and the 16-bit lane
 * arithmetic of LtHash16. Two BLAKE2b instances run side by side, one in each 64-bit lane of a vector: two elements for
 * the root hash, two neighbouring output blocks for the expansion.
 */

import { assembleModule, I32, InstructionWriter, V128, type WasmFunction } from '../../wire/wasmAssembler.js';
import { BLAKE2B_IV, BLAKE2B_SIGMA } from '../blake2xb.js';

const MASK_64 = 0xffff_ffff_ffff_ffffn;

/** Where the module keeps its working data. Everything from `FREE` on belongs to the caller. */
export const WASM_LAYOUT = {
  /** Chaining values of the two root hashes, 8 words of 2 × 8 bytes. */
  CHAIN: 0,
  /** Round-0 columns 0, 2 and 3 of the expansion, the same for every output block: 12 vectors. */
  COLUMNS: 128,
  /** The byte counters of the two root hashes, and their last-block masks: 2 × 8 bytes each. */
  COUNTER: 320,
  FINAL: 336,
  /** The 2048 bytes of the last expansion. */
  EXPANSION: 512,
  FREE: 512 + 2048,
} as const;

/** Locals of one compression. */
interface Registers {
  /** 16 state vectors from here on. */
  state: number;
  scratch: number;
  /** Byte indices that rotate both lanes to the right by 16 and by 24 bits: cheaper kept than written out each time. */
  turn16: number;
  turn24: number;
  /** Puts message word `k` (both lanes) on the stack; false when that word is zero. */
  message(w: InstructionWriter, k: number): boolean;
}

/** Byte indices that rotate each 8-byte lane to the right by whole bytes. */
function turn(bytes: number): number[] {
  return Array.from({ length: 16 }, (_, i) => (i & 8) | ((i + bytes) & 7));
}

function setTurns(w: InstructionWriter, r: Registers): void {
  for (const [local, bytes] of [
    [r.turn16, 2],
    [r.turn24, 3],
  ] as const) {
    const indices = Buffer.from(turn(bytes));
    w.v128Const(indices.readBigUInt64LE(0), indices.readBigUInt64LE(8)).set(local);
  }
}

/** Rotation to the right of both 64-bit lanes of the vector on the stack. */
function rotate(w: InstructionWriter, bits: 16 | 24 | 32 | 63, r: Registers): void {
  if (bits === 16) w.get(r.turn16).swizzle();
  else if (bits === 24) w.get(r.turn24).swizzle();
  else if (bits === 32) w.tee(r.scratch).get(r.scratch).shuffle(turn(4));
  else w.tee(r.scratch).get(r.scratch).add64().get(r.scratch).shiftRight64(63).or();
}

/** The mixing function G on the four state words a, b, c, d with message words x and y. */
function mix(
  w: InstructionWriter,
  r: Registers,
  a: number,
  b: number,
  c: number,
  d: number,
  x: number,
  y: number,
): void {
  const at = (word: number) => r.state + word;
  for (const [word, first, second] of [
    [x, 32, 24],
    [y, 16, 63],
  ] as const) {
    // The word b is the latest to be ready: it comes last.
    w.get(at(a));
    if (r.message(w, word)) w.add64();
    w.get(at(b)).add64();
    w.tee(at(a)).get(at(d)).xor();
    rotate(w, first, r);
    w.tee(at(d)).get(at(c)).add64().tee(at(c)).get(at(b)).xor();
    rotate(w, second, r);
    w.set(at(b));
  }
}

const COLUMNS = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;

/** Step `step` (0 … 7) of round `round`. */
function mixStep(w: InstructionWriter, r: Registers, round: number, step: number): void {
  const sigma = BLAKE2B_SIGMA[round % 10]!;
  const [a, b, c, d] = COLUMNS[step]!;
  mix(w, r, a, b, c, d, sigma[2 * step]!, sigma[2 * step + 1]!);
}

function splat(w: InstructionWriter, word: bigint): InstructionWriter {
  return w.v128Const(word, word);
}

/**
 * `absorb(a, b)`: one BLAKE2b compression of the 128 bytes at `a` (low lanes) and the 128 bytes at `b` (high lanes) into
 * the chaining values at CHAIN, with the byte counters at COUNTER and the last-block masks at FINAL.
 */
function absorbFunction(): WasmFunction {
  const [a, b, zero, state] = [0, 1, 2, 3];
  const scratch = state + 16;
  const turns = scratch + 1;
  const words = turns + 2;
  const w = new InstructionWriter();
  const r: Registers = {
    state,
    scratch,
    turn16: turns,
    turn24: turns + 1,
    message: (out, k) => {
      out.get(words + k);
      return true;
    },
  };
  setTurns(w, r);
  for (let k = 0; k < 16; k++) {
    w.get(b)
      .get(a)
      .load64Zero(8 * k)
      .load64IntoHigh(8 * k)
      .set(words + k);
  }
  for (let k = 0; k < 8; k++) {
    w.get(zero)
      .load(WASM_LAYOUT.CHAIN + 16 * k)
      .set(state + k);
    splat(w, BLAKE2B_IV[k]!);
    if (k === 4) w.get(zero).load(WASM_LAYOUT.COUNTER).xor();
    if (k === 6) w.get(zero).load(WASM_LAYOUT.FINAL).xor();
    w.set(state + 8 + k);
  }
  for (let round = 0; round < 12; round++) {
    for (let step = 0; step < 8; step++) mixStep(w, r, round, step);
  }
  for (let k = 0; k < 8; k++) {
    w.get(zero)
      .get(zero)
      .load(WASM_LAYOUT.CHAIN + 16 * k)
      .get(state + k)
      .xor()
      .get(state + 8 + k)
      .xor()
      .store(WASM_LAYOUT.CHAIN + 16 * k);
  }
  return {
    name: 'absorb',
    params: [I32, I32],
    locals: [I32, ...new Array<typeof V128>(16 + 1 + 2 + 16).fill(V128)],
    body: w,
  };
}

/** Parameter block of output block 0: digest 64, leaf length 64, XOF length 2048, inner length 64. */
function expansionChain(): bigint[] {
  const h = [...BLAKE2B_IV];
  h[0]! ^= 0x0000_0040_0000_0040n;
  h[1]! ^= 0x0000_0800_0000_0000n;
  h[2]! ^= 0x4000n;
  return h;
}

const UNPACK_LOW = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const UNPACK_HIGH = [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31];

/**
 * `expand(root)`: writes to EXPANSION the 2048 bytes that a root hash expands to; its eight words lie 16 bytes apart from
 * `root` on, as in CHAIN (the first element's hash) and CHAIN + 8 (the second's).
 */
function expandFunction(): WasmFunction {
  const root = 0;
  const out = 1;
  const zero = 2;
  const state = 3;
  const scratch = state + 16;
  const index = scratch + 1;
  const start = index + 1;
  const w = new InstructionWriter();
  const r: Registers = {
    state,
    scratch,
    turn16: start + 1,
    turn24: start + 2,
    message: (o, k) => {
      if (k >= 8) return false;
      o.get(root).load64Splat(16 * k);
      return true;
    },
  };
  setTurns(w, r);
  const chain = expansionChain();
  const initial = [...chain, ...BLAKE2B_IV];
  initial[12]! ^= 64n;
  initial[14]! ^= MASK_64;

  for (let k = 0; k < 16; k++) if (k % 4 !== 1) splat(w, initial[k]!).set(state + k);
  for (const step of [0, 2, 3]) mixStep(w, r, 0, step);
  for (let k = 0; k < 16; k++) {
    if (k % 4 !== 1) {
      w.get(zero)
        .get(state + k)
        .store(WASM_LAYOUT.COLUMNS + 16 * k);
    }
  }
  w.i32Const(WASM_LAYOUT.EXPANSION).set(out);
  w.v128Const(0n, 1n).set(index);
  w.repeatWhile((l) => {
    for (let k = 0; k < 16; k++) {
      if (k % 4 !== 1) {
        l.get(zero)
          .load(WASM_LAYOUT.COLUMNS + 16 * k)
          .set(state + k);
      } else if (k === 1)
        splat(l.get(index), chain[1]!)
          .xor()
          .tee(start)
          .set(state + k);
      else splat(l, initial[k]!).set(state + k);
    }
    mixStep(l, r, 0, 1);
    for (let step = 4; step < 8; step++) mixStep(l, r, 0, step);
    for (let round = 1; round < 12; round++) {
      for (let step = 0; step < 8; step++) mixStep(l, r, round, step);
    }
    for (let k = 0; k < 8; k++) {
      l.get(state + k)
        .get(state + 8 + k)
        .xor();
      if (k === 1) l.get(start);
      else splat(l, chain[k]!);
      l.xor().set(state + k);
    }
    for (let k = 0; k < 8; k += 2) {
      l.get(out)
        .get(state + k)
        .get(state + k + 1)
        .shuffle(UNPACK_LOW)
        .store(8 * k);
      l.get(out)
        .get(state + k)
        .get(state + k + 1)
        .shuffle(UNPACK_HIGH)
        .store(64 + 8 * k);
    }
    splat(l.get(index), 2n).add64().set(index);
    l.get(out)
      .i32Const(128)
      .i32Add()
      .tee(out)
      .i32Const(WASM_LAYOUT.EXPANSION + 2048)
      .i32LessUnsigned();
  });
  return {
    name: 'expand',
    params: [I32],
    locals: [I32, I32, ...new Array<typeof V128>(16 + 3 + 2).fill(V128)],
    body: w,
  };
}

/** `add(state, other)` or `subtract(state, other)`: 1024 lanes of 16 bits, modulo 2^16, in place. */
function laneFunction(name: string, operation: (w: InstructionWriter) => void): WasmFunction {
  const [state, other, end] = [0, 1, 2];
  const w = new InstructionWriter();
  w.get(state).i32Const(2048).i32Add().set(end);
  w.repeatWhile((l) => {
    for (let k = 0; k < 4; k++) {
      l.get(state)
        .get(state)
        .load(16 * k)
        .get(other)
        .load(16 * k);
      operation(l);
      l.store(16 * k);
    }
    l.get(other).i32Const(64).i32Add().set(other);
    l.get(state).i32Const(64).i32Add().tee(state).get(end).i32LessUnsigned();
  });
  return { name, params: [I32, I32], locals: [I32], body: w };
}

/** The module's bytes: always the same. */
export function blake2xbModule(initialPages: number): Uint8Array {
  return assembleModule(initialPages, [
    absorbFunction(),
    expandFunction(),
    laneFunction('add', (w) => w.add16()),
    laneFunction('subtract', (w) => w.subtract16()),
  ]);
}
