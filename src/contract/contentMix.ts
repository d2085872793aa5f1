/**
 * The mixing core of the content digest: four 64-bit lanes, 32 bytes a step, in WebAssembly because JavaScript has no
 * 64-bit multiplication worth the name. Rounds and constants are those of the XXH64 family.
 */
import { AcsError } from '../io/error.js';
import {
  assembleModule,
  I32,
  I64,
  InstructionWriter,
  type WasmFunction,
  webAssembly,
} from '../wire/wasmAssembler.js';

const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P5 = 0x27d4eb2f165667c5n;
const SEED = [P1 + P2, P2, P3, P5 - P1];

/** Memory: lanes at 0, the sum at 32, input from 64 on. */
const LANES = 0;
const SUM = 32;
export const MIX_INPUT = 64;

export interface ContentMix {
  readonly memory: { buffer: ArrayBuffer; grow(pages: number): number };
  /**
   * Mixes an element of four byte strings, each given by address and length, and adds it to the sum, lane by lane modulo
   * 2^64. The length of each goes in too, so that neighbouring fields cannot flow together.
   */
  add(
    a: number,
    aLength: number,
    b: number,
    bLength: number,
    c: number,
    cLength: number,
    d: number,
    dLength: number,
  ): void;
}

let compiled: object | undefined;

export function createContentMix(): ContentMix {
  if (webAssembly === undefined) {
    throw new AcsError('NO_WEBASSEMBLY', 'this Node.js runs without WebAssembly', {
      hint: 'start it without --jitless',
    });
  }
  compiled ??= new webAssembly.Module(assembleModule(2, mixFunctions()));
  return new webAssembly.Instance(compiled).exports as ContentMix;
}

/** The functions of the core, the last one `add`; they must be the first ones of their module. */
export function mixFunctions(): WasmFunction[] {
  return [absorbBody(), addBody()];
}

/** The sum as 64 hex digits. */
export function sumHex(mix: ContentMix): string {
  const view = new DataView(mix.memory.buffer);
  let text = '';
  for (let i = 0; i < 4; i++)
    text += view
      .getBigUint64(SUM + 8 * i, true)
      .toString(16)
      .padStart(16, '0');
  return text;
}

function absorbBody(): WasmFunction {
  // Parameters 0 address, 1 length; locals 2 end of whole steps, 3 end, 4…7 lanes.
  const lane = (i: number): number => 4 + i;
  const w = new InstructionWriter();
  for (let i = 0; i < 4; i++)
    w.i32Const(0)
      .i64Load(LANES + 8 * i)
      .set(lane(i));
  w.get(lane(0))
    .get(1)
    .i64ExtendUnsigned()
    .i64Const(P5)
    .i64Multiply()
    .i64Xor()
    .i64Const(P1)
    .i64Multiply()
    .set(lane(0));
  w.get(0).get(1).i32Const(-32).i32And().i32Add().set(2);
  w.get(0).get(1).i32Add().set(3);
  w.get(0).get(2).i32LessUnsigned();
  w.whenTrue((b) =>
    b.repeatWhile((loop) => {
      for (let i = 0; i < 4; i++) {
        loop
          .get(lane(i))
          .get(0)
          .i64Load(8 * i)
          .i64Const(P2)
          .i64Multiply()
          .i64Add();
        loop.i64RotateLeft(31).i64Const(P1).i64Multiply().set(lane(i));
      }
      loop.get(0).i32Const(32).i32Add().tee(0).get(2).i32LessUnsigned();
    }),
  );
  w.get(0).get(3).i32LessUnsigned();
  w.whenTrue((b) =>
    b.repeatWhile((loop) => {
      loop.get(lane(1)).get(0).i64LoadByte(0).i64Const(P5).i64Multiply().i64Xor();
      loop.i64RotateLeft(11).i64Const(P1).i64Multiply().set(lane(1));
      loop.get(0).i32Const(1).i32Add().tee(0).get(3).i32LessUnsigned();
    }),
  );
  for (let i = 0; i < 4; i++)
    w.i32Const(0)
      .get(lane(i))
      .i64Store(LANES + 8 * i);
  return { name: 'absorb', params: [I32, I32], locals: [I32, I32, I64, I64, I64, I64], body: w };
}

/** The function number of `absorb` in the module. */
const ABSORB = 0;

function addBody(): WasmFunction {
  // Parameters 0…7 address and length of four strings; locals 8…11 lanes. In the end four rounds in which every lane takes
  // in its neighbour: each input bit reaches every output bit.
  const lane = (i: number): number => 8 + i;
  const w = new InstructionWriter();
  SEED.forEach((seed, i) => {
    w.i32Const(0)
      .i64Const(seed)
      .i64Store(LANES + 8 * i);
  });
  for (let field = 0; field < 8; field += 2)
    w.get(field)
      .get(field + 1)
      .call(ABSORB);
  for (let i = 0; i < 4; i++)
    w.i32Const(0)
      .i64Load(LANES + 8 * i)
      .set(lane(i));
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 4; i++) {
      w.get(lane(i))
        .get(lane((i + 3) & 3))
        .i64ShiftRight(29)
        .i64Xor()
        .get(lane((i + 3) & 3))
        .i64Add();
      w.i64Const(i & 1 ? P3 : P2)
        .i64Multiply()
        .tee(lane(i));
      w.get(lane(i)).i64ShiftRight(32).i64Xor().set(lane(i));
    }
  }
  for (let i = 0; i < 4; i++)
    w.i32Const(0)
      .i32Const(0)
      .i64Load(SUM + 8 * i)
      .get(lane(i))
      .i64Add()
      .i64Store(SUM + 8 * i);
  return {
    name: 'add',
    params: [I32, I32, I32, I32, I32, I32, I32, I32],
    locals: [I64, I64, I64, I64],
    body: w,
  };
}
