/**
 * Passing usual records in WebAssembly: one call goes through all frames of a chunk until it meets a record that is not
 * usual. What it passes is sound, as the checks of single records in TypeScript would find, and its contract is in the
 * content digest. What it does not pass is theirs: they find and name faults.
 *
 * Of what comes again and again (template ids, synchronizers) it knows only what the caller has judged before.
 */
import { EVENT } from '../../snapshot/recordBorders.js';
import { I32, I64 } from '../../wire/wasmAssembler.js';
import {
  atLeast,
  atMost,
  below,
  bitAnd,
  bitOr,
  bitXor,
  both,
  byteAt,
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
  putWord,
  type Routine,
  rotateLeft,
  shiftLeft,
  shiftRight,
  times,
  type WasmProgram,
  when,
  whileTrue,
  wordAt,
} from '../../wire/wasmProgram.js';
import type { ContentDigest } from '../contentDigest.js';
import { MAX_PACKAGE_ID_BYTES, PACKAGE_ID_CHARACTER, PARTY_CHARACTER } from '../identifier.js';
import { type ByteRoutines, OVERREAD } from './byteRoutines.js';
import { usualBlob } from './usualBlob.js';
import {
  assemblePass,
  compiledOnce,
  FREE_MEMORY,
  MAX_PASSED,
  type PassExports,
  type PassParts,
  passNothing,
  startPass,
} from './usualPass.js';
import { usualArgument } from './usualValue.js';

/** Known synchronizers: the length of each, then its bytes. */
const SYNCHRONIZERS = FREE_MEMORY;
const MAX_SYNCHRONIZERS = 16;
const SYNCHRONIZER_BYTES = 264;
/** Known pairs of template ids, of event and blob: address and length of each, in the place that {@link Exports.place} gives. */
const TEMPLATES = SYNCHRONIZERS + MAX_SYNCHRONIZERS * SYNCHRONIZER_BYTES;
const TEMPLATE_PLACES = 1024;
const TEMPLATE_BYTES = 16;
const MIN_TEMPLATE_BYTES = 16;
const TEXTS = TEMPLATES + TEMPLATE_PLACES * TEMPLATE_BYTES;
const FINGERPRINTS = 256 * 1024;
const CHUNK = FINGERPRINTS + 8 * MAX_PASSED;

interface Exports extends PassExports {
  knownSynchronizer(start: number, end: number): number;
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

const compiled = compiledOnce(() => assemblePass(CHUNK, build));

export function soundRecords(): SoundRecords {
  const module = compiled();
  if (module === undefined) {
    const nothing = () => undefined;
    return {
      ...passNothing(),
      fingerprints: new Uint32Array(0),
      knowSynchronizer: nothing,
      knowTemplate: nothing,
    };
  }
  const core = startPass<Exports>(module, CHUNK);
  const { exports } = core;
  let synchronizers = 0;
  let textEnd = TEXTS;

  return {
    digest: core.digest,
    hold: core.hold,
    pass: core.pass,
    get passed() {
      return core.passed;
    },
    get fingerprints() {
      const { passed, bytes } = core;
      return new Uint32Array(bytes.buffer, FINGERPRINTS, 2 * passed);
    },
    knowSynchronizer(id) {
      const { bytes, words } = core;
      if (synchronizers === MAX_SYNCHRONIZERS || id.length > SYNCHRONIZER_BYTES - 4) return;
      const at = SYNCHRONIZERS + synchronizers * SYNCHRONIZER_BYTES;
      bytes.set(id, at + 4);
      if (exports.knownSynchronizer(at + 4, at + 4 + id.length) !== 0) return;
      words.setUint32(at, id.length, true);
      synchronizers++;
    },
    knowTemplate(ofEvent, ofBlob) {
      const { bytes, words } = core;
      const length = ofEvent.length + ofBlob.length;
      if (ofEvent.length < MIN_TEMPLATE_BYTES || TEXTS + length + OVERREAD > FINGERPRINTS) return;
      if (textEnd + length + OVERREAD > FINGERPRINTS) {
        // All are forgotten: those that still come will soon be known again.
        bytes.fill(0, TEMPLATES, TEXTS);
        textEnd = TEXTS;
      }
      const event = textEnd;
      const blob = event + ofEvent.length;
      bytes.set(ofEvent, event);
      bytes.set(ofBlob, blob);
      if (exports.knownTemplate(event, blob, blob, blob + ofBlob.length) !== 0) return;
      const place = exports.place(event, blob);
      words.setUint32(place, event, true);
      words.setUint32(place + 4, ofEvent.length, true);
      words.setUint32(place + 8, blob, true);
      words.setUint32(place + 12, ofBlob.length, true);
      textEnd += length;
    },
  };
}

function build({ program, bytes, record }: PassParts): Routine {
  const party = bytes.alphabet('partyBytes', PARTY_CHARACTER);
  const blob = usualBlob(program, bytes, record, party);
  const argument = usualArgument(program, bytes, party);
  const knownTemplate = templateCheck(program, bytes, templatePlace(program));
  const knownSynchronizer = synchronizerCheck(program, bytes);
  const fingerprint = fingerprintRoutine(program);
  const packageId = bytes.alphabet('packageIdBytes', PACKAGE_ID_CHARACTER);
  const { start, end } = record;
  const representative = [start(EVENT.representativePackageId), end(EVENT.representativePackageId)] as const;
  const sound = program.routine('sound', 4, I32);
  sound.body(([, from, to, passed]) => [
    need(record.find(from, to)),
    need(knownSynchronizer(record.synchronizer, record.synchronizerEnd)),
    // It may be empty.
    when(
      record.has(EVENT.representativePackageId),
      need(atMost(minus(representative[1], representative[0]), MAX_PACKAGE_ID_BYTES)),
      need(packageId(...representative)),
    ),
    need(blob.find()),
    need(knownTemplate(start(EVENT.templateId), end(EVENT.templateId), blob.template, blob.templateEnd)),
    need(argument(start(EVENT.createArguments), end(EVENT.createArguments), blob.argument, blob.argumentEnd)),
    fingerprint(blob.contractId, blob.contractIdEnd, plus(shiftLeft(passed, 3), FINGERPRINTS)),
    constant(1),
  ]);
  return sound;
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
