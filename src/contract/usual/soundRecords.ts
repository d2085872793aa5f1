/**
 * Passing usual records in WebAssembly: one call goes through all frames of a chunk until it meets a record that is not
 * usual. What it passes is sound, as the checks of single records in TypeScript would find, and its contract is in the
 * content digest. What it does not pass is theirs: they find and name faults.
 *
 * Of what comes again and again (template ids, synchronizers) it knows only what the caller has judged before.
 */
import { AcsError } from '../../io/error.js';
import { EVENT } from '../../snapshot/recordBorders.js';
import { I32, I64, webAssembly } from '../../wire/wasmAssembler.js';
import {
  atLeast,
  below,
  bitAnd,
  bitOr,
  bitXor,
  both,
  byteAt,
  type Code,
  constant,
  equal,
  give,
  long,
  longAt,
  longOf,
  longShiftRight,
  longTimes,
  longXor,
  lowWord,
  minus,
  need,
  plus,
  putLong,
  putWord,
  type Routine,
  rotateLeft,
  shiftLeft,
  shiftRight,
  times,
  type WasmProgram,
  wasmProgram,
  when,
  whenElse,
  whileTrue,
  wordAt,
} from '../../wire/wasmProgram.js';
import { COUNTER, type ContentDigest, contentDigest } from '../contentDigest.js';
import { type ContentMix, mixFunctions } from '../contentMix.js';
import { type ByteRoutines, byteRoutines, OVERREAD } from './byteRoutines.js';
import { usualBlob } from './usualBlob.js';
import { RECORD_BYTES, usualRecord } from './usualRecord.js';
import { usualArgument } from './usualValue.js';

/** Memory: the digest's, what is found of a record, what is known, the fingerprints, then the chunk. */
const PASSED = 128;
const RECORD = 256;
/** Known synchronizers: the length of each, then its bytes. */
const SYNCHRONIZERS = RECORD + RECORD_BYTES;
const MAX_SYNCHRONIZERS = 16;
const SYNCHRONIZER_BYTES = 264;
/** Known pairs of template ids, of event and blob: address and length of each, in the place that {@link Exports.place} gives. */
const TEMPLATES = SYNCHRONIZERS + MAX_SYNCHRONIZERS * SYNCHRONIZER_BYTES;
const TEMPLATE_PLACES = 1024;
const TEMPLATE_BYTES = 16;
const MIN_TEMPLATE_BYTES = 16;
const TEXTS = TEMPLATES + TEMPLATE_PLACES * TEMPLATE_BYTES;
const FINGERPRINTS = 256 * 1024;
/** Records passed at most in one call. */
const MAX_PASSED = 4096;
const CHUNK = FINGERPRINTS + 8 * MAX_PASSED;
const PAGE = 65536;

interface Exports extends ContentMix {
  knownSynchronizer(start: number, end: number): number;
  /** `(at, end)`: the address of the first frame that was not passed, or `end`. */
  pass(at: number, end: number): number;
  knownTemplate(start: number, end: number, ofBlob: number, ofBlobEnd: number): number;
  /** The place of a template id among the known ones. */
  place(start: number, end: number): number;
}

export interface SoundRecords {
  /** Over the same memory; it has every contract that was passed. */
  digest: ContentDigest;
  /** Announces the chunk that is passed next; it must stay as it is until the next one is held. */
  hold(chunk: Buffer): void;
  /** Passes frames of the held chunk from position `from` on; gives the position of the first one it does not pass. */
  pass(from: number, to: number): number;
  /** Records that the last call passed. */
  readonly passed: number;
  /** Fingerprints of the contract ids of the records the last call passed, as `fingerprintInto` writes them. */
  readonly fingerprints: Uint32Array;
  /** This synchronizer id is valid. */
  knowSynchronizer(id: Uint8Array): void;
  /** The template id of the event, encoded like this, is that of the blob, encoded like that. */
  knowTemplate(ofEvent: Uint8Array, ofBlob: Uint8Array): void;
}

let compiled: object | undefined;

export function soundRecords(): SoundRecords {
  if (webAssembly === undefined) {
    throw new AcsError('NO_WEBASSEMBLY', 'this Node.js runs without WebAssembly', {
      hint: 'start it without --jitless',
    });
  }
  compiled ??= new webAssembly.Module(assemble());
  const core = new webAssembly.Instance(compiled).exports as Exports;
  const digest = contentDigest(core, CHUNK);
  let memory = new Uint8Array(core.memory.buffer);
  let words = new DataView(core.memory.buffer);
  let synchronizers = 0;
  let textEnd = TEXTS;

  /** Memory that has grown is another buffer. */
  function refresh(): void {
    if (memory.length > 0) return;
    memory = new Uint8Array(core.memory.buffer);
    words = new DataView(core.memory.buffer);
  }

  return {
    digest,
    hold(chunk) {
      const missing = CHUNK + chunk.length + OVERREAD - core.memory.buffer.byteLength;
      if (missing > 0) core.memory.grow(Math.ceil(missing / PAGE));
      refresh();
      digest.hold(chunk);
    },
    pass(from, to) {
      refresh();
      return core.pass(CHUNK + from, CHUNK + to) - CHUNK;
    },
    get passed() {
      return words.getUint32(PASSED, true);
    },
    get fingerprints() {
      return new Uint32Array(memory.buffer, FINGERPRINTS, 2 * words.getUint32(PASSED, true));
    },
    knowSynchronizer(id) {
      refresh();
      if (synchronizers === MAX_SYNCHRONIZERS || id.length > SYNCHRONIZER_BYTES - 4) return;
      const at = SYNCHRONIZERS + synchronizers * SYNCHRONIZER_BYTES;
      memory.set(id, at + 4);
      if (core.knownSynchronizer(at + 4, at + 4 + id.length) !== 0) return;
      words.setUint32(at, id.length, true);
      synchronizers++;
    },
    knowTemplate(ofEvent, ofBlob) {
      refresh();
      const length = ofEvent.length + ofBlob.length;
      if (ofEvent.length < MIN_TEMPLATE_BYTES || TEXTS + length + OVERREAD > FINGERPRINTS) return;
      if (textEnd + length + OVERREAD > FINGERPRINTS) {
        // All are forgotten: those that still come will soon be known again.
        memory.fill(0, TEMPLATES, TEXTS);
        textEnd = TEXTS;
      }
      const event = textEnd;
      const blob = event + ofEvent.length;
      memory.set(ofEvent, event);
      memory.set(ofBlob, blob);
      if (core.knownTemplate(event, blob, blob, blob + ofBlob.length) !== 0) return;
      const place = core.place(event, blob);
      words.setUint32(place, event, true);
      words.setUint32(place + 4, ofEvent.length, true);
      words.setUint32(place + 8, blob, true);
      words.setUint32(place + 12, ofBlob.length, true);
      textEnd += length;
    },
  };
}

function assemble(): Uint8Array {
  const program = wasmProgram();
  const mix = mixFunctions().map(program.include);
  const bytes = byteRoutines(program);
  const party = bytes.alphabet('partyBytes', /[A-Za-z0-9:\-_ ]/);
  const record = usualRecord(program, bytes, RECORD);
  const blob = usualBlob(program, bytes, record, party);
  const argument = usualArgument(program, bytes, party);
  const place = templatePlace(program);
  const knownTemplate = templateCheck(program, bytes, place);
  const knownSynchronizer = synchronizerCheck(program, bytes);
  const fingerprint = fingerprintRoutine(program);
  const add = mix[mix.length - 1];
  const { start, end } = record;

  const sound = program.routine('sound', 2, I32);
  sound.body(([from, to]) => [
    need(record.find(from, to)),
    need(knownSynchronizer(record.synchronizer, record.synchronizerEnd)),
    need(blob.find()),
    need(knownTemplate(start(EVENT.templateId), end(EVENT.templateId), blob.template, blob.templateEnd)),
    argument(start(EVENT.createArguments), end(EVENT.createArguments), blob.argument, blob.argumentEnd),
  ]);

  const pass = program.routine('pass', 2, I32);
  pass.body(([at, limit], local) => {
    const to = local();
    const passed = local();
    const leave = [putWord(PASSED, passed), give(at)];
    const blobStart = start(EVENT.createdEventBlob);
    const representative = start(EVENT.representativePackageId);
    return [
      whileTrue(
        below(at, limit),
        when(atLeast(passed, MAX_PASSED), ...leave),
        to.set(bytes.span(at, limit)),
        when(equal(to, 0), ...leave),
        when(equal(sound(bytes.from, to), 0), ...leave),
        putLong(COUNTER, longOf(record.counter)),
        whenElse(
          record.has(EVENT.representativePackageId),
          [add(...digestInput(representative, minus(end(EVENT.representativePackageId), representative)))],
          [add(...digestInput(constant(0), constant(0)))],
        ),
        fingerprint(blob.contractId, blob.contractIdEnd, plus(shiftLeft(passed, 3), FINGERPRINTS)),
        passed.set(plus(passed, 1)),
        at.set(to),
      ),
      putWord(PASSED, passed),
      at,
    ];

    function digestInput(representativeStart: Code, representativeLength: Code): Code[] {
      return [
        blobStart,
        minus(end(EVENT.createdEventBlob), blobStart),
        representativeStart,
        representativeLength,
        record.synchronizer,
        minus(record.synchronizerEnd, record.synchronizer),
        constant(COUNTER),
        // 8 bytes unless it is 0.
        shiftLeft(equal(equal(record.counter, 0), 0), 3),
      ];
    }
  });
  return program.assemble(Math.ceil((CHUNK + PAGE) / PAGE));
}

/** `(start, end)` of a template id of at least {@link MIN_TEMPLATE_BYTES} bytes: templates differ at their end. */
function templatePlace(program: WasmProgram): Routine {
  const place = program.routine('place', 2, I32);
  place.body(([start, end], local) => {
    const mixed = local(I64);
    const first = long(0x9e3779b185ebca87n);
    const second = long(0xc2b2ae3d27d4eb4fn);
    return [
      mixed.set(longTimes(longXor(longAt(minus(end, 16)), longOf(minus(end, start))), first)),
      mixed.set(longXor(mixed, longShiftRight(mixed, long(29n)))),
      mixed.set(longTimes(longXor(mixed, longAt(minus(end, 8))), second)),
      plus(
        times(lowWord(longShiftRight(mixed, long(BigInt(64 - Math.log2(TEMPLATE_PLACES))))), TEMPLATE_BYTES),
        TEMPLATES,
      ),
    ];
  });
  return place;
}

function templateCheck(program: WasmProgram, { same }: ByteRoutines, place: Routine): Routine {
  const known = program.routine('knownTemplate', 4, I32);
  known.body(([start, end, ofBlob, ofBlobEnd], local) => {
    const at = local();
    return [
      need(atLeast(minus(end, start), MIN_TEMPLATE_BYTES)),
      at.set(place(start, end)),
      need(same(start, end, wordAt(at), plus(wordAt(at), wordAt(at, 4)))),
      same(ofBlob, ofBlobEnd, wordAt(at, 8), plus(wordAt(at, 8), wordAt(at, 12))),
    ];
  });
  return known;
}

function synchronizerCheck(program: WasmProgram, { same }: ByteRoutines): Routine {
  const known = program.routine('knownSynchronizer', 2, I32);
  known.body(([start, end], local) => {
    const at = local();
    return [
      at.set(SYNCHRONIZERS),
      whileTrue(
        both(below(at, SYNCHRONIZERS + MAX_SYNCHRONIZERS * SYNCHRONIZER_BYTES), wordAt(at)),
        when(same(start, end, plus(at, 4), plus(plus(at, 4), wordAt(at))), give(1)),
        at.set(plus(at, SYNCHRONIZER_BYTES)),
      ),
      constant(0),
    ];
  });
  return known;
}

/** `(start, end, at)`: what `fingerprintInto` of idTable.ts writes, to `at`. */
function fingerprintRoutine(program: WasmProgram): Routine {
  const finish = program.routine('finishFingerprint', 1, I32);
  finish.body(([hash]) => [
    hash.set(times(bitXor(hash, shiftRight(hash, 16)), 0x85ebca6b)),
    hash.set(times(bitXor(hash, shiftRight(hash, 13)), 0xc2b2ae35)),
    bitXor(hash, shiftRight(hash, 16)),
  ]);

  const routine = program.routine('fingerprint', 3);
  routine.body(([start, end, at], local) => {
    const a = local();
    const b = local();
    const wordsEnd = local();
    return [
      a.set(bitXor(minus(end, start), 0x9e3779b9)),
      b.set(0x85ebca6b),
      wordsEnd.set(plus(start, bitAnd(minus(end, start), -4))),
      whileTrue(
        below(start, wordsEnd),
        a.set(times(bitXor(a, wordAt(start)), 0x01000193)),
        a.set(bitXor(a, shiftRight(a, 15))),
        b.set(rotateLeft(times(plus(b, wordAt(start)), 0xcc9e2d51), 13)),
        start.set(plus(start, 4)),
      ),
      whileTrue(
        below(start, end),
        a.set(times(bitXor(a, byteAt(start)), 0x01000193)),
        b.set(times(plus(b, byteAt(start)), 0x1b873593)),
        start.set(plus(start, 1)),
      ),
      a.set(finish(bitXor(a, shiftRight(b, 7)))),
      b.set(finish(bitXor(b, a))),
      when(equal(bitOr(a, b), 0), a.set(1), b.set(1)),
      putWord(at, b),
      putWord(at, a, 4),
    ];
  });
  return routine;
}
