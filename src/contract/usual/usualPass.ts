/**
 * Going through the frames of a chunk in WebAssembly, as far as they are accepted; the contracts of those are taken into
 * the content digest on the way. What is accepted is for the caller to say; the first frame that is not ends the pass.
 */
import { EVENT } from '../../snapshot/recordBorders.js';
import { I32, type WebAssemblyApi, webAssembly } from '../../wire/wasmAssembler.js';
import {
  above,
  atLeast,
  below,
  either,
  equal,
  give,
  longOf,
  minus,
  not,
  plus,
  putLong,
  putWord,
  type Routine,
  shiftLeft,
  type WasmProgram,
  wasmProgram,
  when,
  whileTrue,
} from '../../wire/wasmProgram.js';
import { COUNTER, type ContentDigest, contentDigest } from '../contentDigest.js';
import { type ContentMix, mixFunctions } from '../contentMix.js';
import { type ByteRoutines, byteRoutines, OVERREAD } from './byteRoutines.js';
import { RECORD_BYTES, type UsualRecord, usualRecord } from './usualRecord.js';

/** Memory: the digest's, the number of frames passed, what is found of a record; then it is free. */
const PASSED = 128;
const RECORD = 256;
export const FREE_MEMORY = RECORD + RECORD_BYTES;
/** Records passed at most in one call. */
export const MAX_PASSED = 4096;
const PAGE = 65536;

export interface PassParts {
  program: WasmProgram;
  bytes: ByteRoutines;
  record: UsualRecord;
}

export interface PassExports extends ContentMix {
  /** `(at, end, longest)`: the address of the first frame that is not passed, or `end`. */
  pass(at: number, end: number, longest: number): number;
}

/**
 * The bytes of a module with a function `pass`. `build` gives the routine that accepts a record or not: `(frame, start,
 * end, passed)` are the addresses of the frame, its body and its end, and how many were passed before it. `memory` is the
 * size of the memory it needs.
 */
export function assemblePass(memory: number, build: (parts: PassParts) => Routine): Uint8Array {
  const program = wasmProgram();
  const mix = mixFunctions().map(program.include);
  const add = mix[mix.length - 1];
  const bytes = byteRoutines(program);
  const record = usualRecord(program, bytes, RECORD);
  const accept = build({ program, bytes, record });
  const { start, end } = record;
  const pass = program.routine('pass', 3, I32);
  pass.body(([at, limit, longest], local) => {
    const to = local();
    const passed = local();
    const representative = local();
    const representativeBytes = local();
    const leave = [putWord(PASSED, passed), give(at)];
    const blob = start(EVENT.createdEventBlob);
    return [
      whileTrue(
        below(at, limit),
        when(atLeast(passed, MAX_PASSED), ...leave),
        to.set(bytes.span(at, limit)),
        when(either(equal(to, 0), above(minus(to, bytes.from), longest)), ...leave),
        when(not(accept(at, bytes.from, to, passed)), ...leave),
        putLong(COUNTER, longOf(record.counter)),
        representativeBytes.set(0),
        when(
          record.has(EVENT.representativePackageId),
          representative.set(start(EVENT.representativePackageId)),
          representativeBytes.set(minus(end(EVENT.representativePackageId), representative)),
        ),
        add(
          blob,
          minus(end(EVENT.createdEventBlob), blob),
          representative,
          representativeBytes,
          record.synchronizer,
          minus(record.synchronizerEnd, record.synchronizer),
          COUNTER,
          // 8 bytes unless it is 0.
          shiftLeft(not(not(record.counter)), 3),
        ),
        passed.set(plus(passed, 1)),
        at.set(to),
      ),
      putWord(PASSED, passed),
      at,
    ];
  });
  return program.assemble(Math.ceil((memory + PAGE) / PAGE));
}

export interface UsualPass<Exports> {
  readonly exports: Exports;
  /** Has every contract that was passed. */
  digest: ContentDigest;
  /** Announces the chunk that is passed next; it must stay as it is until the next one is held. */
  hold(chunk: Buffer): void;
  /**
   * Passes frames of the held chunk from position `from` on, with bodies of at most `longest` bytes; gives the position of
   * the first one that does not pass.
   */
  pass(from: number, to: number, longest?: number): number;
  /** Records that the last call passed. */
  readonly passed: number;
  /** The memory; ask for it anew after any call, since it may have grown. */
  readonly bytes: Uint8Array;
  readonly words: DataView;
}

/** A compiled module of {@link assemblePass} at work; chunks are put at the address `chunkStart`, behind all else. */
export function startPass<Exports extends PassExports>(
  module: object,
  chunkStart: number,
): UsualPass<Exports> {
  const exports = new (webAssembly as WebAssemblyApi).Instance(module).exports as Exports;
  const digest = contentDigest(exports, chunkStart);
  let bytes = new Uint8Array(exports.memory.buffer);
  let words = new DataView(exports.memory.buffer);

  /** Memory that has grown is another buffer, and the views of the old one are empty. */
  function refresh(): void {
    if (bytes.length > 0) return;
    bytes = new Uint8Array(exports.memory.buffer);
    words = new DataView(exports.memory.buffer);
  }

  return {
    exports,
    digest,
    hold(chunk) {
      const missing = chunkStart + chunk.length + OVERREAD - exports.memory.buffer.byteLength;
      if (missing > 0) exports.memory.grow(Math.ceil(missing / PAGE));
      digest.hold(chunk);
    },
    pass: (from, to, longest = to) =>
      exports.pass(chunkStart + from, chunkStart + to, Math.min(longest, to)) - chunkStart,
    get passed() {
      refresh();
      return words.getUint32(PASSED, true);
    },
    get bytes() {
      refresh();
      return bytes;
    },
    get words() {
      refresh();
      return words;
    },
  };
}

/** Compiles once what is asked for; undefined where there is no WebAssembly with vectors, as on processors of before 2008. */
export function compiledOnce(assemble: () => Uint8Array): () => object | undefined {
  let compiled: object | undefined | null;
  return () => {
    if (compiled === undefined) {
      const bytes = assemble();
      compiled = webAssembly?.validate(bytes) === true ? new webAssembly.Module(bytes) : null;
    }
    return compiled ?? undefined;
  };
}

/** In place of {@link startPass} where nothing can be passed: the digest, and a pass that ends where it begins. */
export function passNothing(): Pick<UsualPass<never>, 'digest' | 'hold' | 'pass' | 'passed'> {
  const digest = contentDigest();
  return { digest, hold: digest.hold, pass: (from) => from, passed: 0 };
}
