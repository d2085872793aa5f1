/**
 * The parts of a record that is written as every participant writes it: nothing unknown, fields in ascending order, none
 * twice but the lists, lengths of at most three bytes (snapshot-format spec, section 3). Any other is not usual, which says
 * nothing against it.
 */
import { EVENT } from '../../snapshot/recordBorders.js';
import { I32 } from '../../wire/wasmAssembler.js';
import {
  atLeast,
  atMost,
  below,
  bitAnd,
  bitOr,
  both,
  byteAt,
  type Code,
  constant,
  differ,
  either,
  equal,
  minus,
  need,
  type Operand,
  plus,
  putWord,
  type Routine,
  shiftLeft,
  shiftRight,
  type Variable,
  type WasmProgram,
  when,
  whenElse,
  whileTrue,
  wordAt,
} from '../../wire/wasmProgram.js';
import type { ByteRoutines } from './byteRoutines.js';

/** Parties in a list; a longer one is not usual. */
export const MAX_PARTIES = 64;

const FIELDS = 16;
const LIST_BYTES = 8 * MAX_PARTIES;
/** Bytes that {@link usualRecord} needs for what it finds. */
export const RECORD_BYTES = 8 * FIELDS + 2 * LIST_BYTES;

const NUMBERS = [EVENT.offset, EVENT.nodeId, EVENT.acsDelta];
const LISTS = [EVENT.interfaceViews, EVENT.witnessParties, EVENT.signatories, EVENT.observers];
/** What a minimal record may lack, and the key of a contract, which few have, are not usual. */
const NEEDED = [
  EVENT.contractId,
  EVENT.templateId,
  EVENT.createArguments,
  EVENT.createdEventBlob,
  EVENT.signatories,
  EVENT.createdAt,
  EVENT.packageName,
];
const BYTES = [...NEEDED, ...LISTS, EVENT.representativePackageId];

export interface PartyList {
  count: Variable;
  start(at: Operand): Code;
  end(at: Operand): Code;
}

export interface UsualRecord {
  /** `(start, end)` of the envelope: 1 when the record is usual; then the parts below are known. */
  find: Routine;
  start(field: number): Code;
  end(field: number): Code;
  /** Borders of a field that may be absent: the length is then 0. */
  has(field: number): Code;
  signatories: PartyList;
  observers: PartyList;
  synchronizer: Variable;
  synchronizerEnd: Variable;
  /** At most 127. */
  counter: Variable;
}

/** `memory` is the address of {@link RECORD_BYTES} bytes to use. */
export function usualRecord(program: WasmProgram, { span, from }: ByteRoutines, memory: number): UsualRecord {
  const event = program.global();
  const eventEnd = program.global();
  const synchronizer = program.global();
  const synchronizerEnd = program.global();
  const counter = program.global();
  /** A bit for each field found. */
  const found = program.global();

  function partyList(at: number): PartyList & { add(end: Code): Code[] } {
    const count = program.global();
    return {
      count,
      start: (i) => wordAt(shiftLeft(i, 3), at),
      end: (i) => wordAt(shiftLeft(i, 3), at + 4),
      add: (end) => [
        need(below(count, MAX_PARTIES)),
        putWord(shiftLeft(count, 3), from, at),
        putWord(shiftLeft(count, 3), end, at + 4),
        count.set(plus(count, 1)),
      ],
    };
  }
  const signatories = partyList(memory + 8 * FIELDS);
  const observers = partyList(memory + 8 * FIELDS + LIST_BYTES);

  const envelope = program.routine('usualEnvelope', 2, I32);
  envelope.body(([start, end], local) => {
    const dataEnd = local();
    const active = local();
    return [
      need(equal(byteAt(start), 0x0a)),
      dataEnd.set(span(plus(start, 1), end)),
      active.set(from),
      need(equal(dataEnd, minus(end, 2))),
      need(both(equal(byteAt(dataEnd), 0x10), equal(byteAt(dataEnd, 1), 30))),
      need(both(below(active, dataEnd), equal(byteAt(active), 0x0a))),
      need(equal(span(plus(active, 1), dataEnd), dataEnd)),
      active.set(from),
      need(both(below(active, dataEnd), equal(byteAt(active), 0x0a))),
      eventEnd.set(span(plus(active, 1), dataEnd)),
      event.set(from),
      need(eventEnd),
      need(both(below(eventEnd, dataEnd), equal(byteAt(eventEnd), 0x12))),
      synchronizerEnd.set(span(plus(eventEnd, 1), dataEnd)),
      synchronizer.set(from),
      need(synchronizerEnd),
      counter.set(0),
      when(
        differ(synchronizerEnd, dataEnd),
        need(equal(plus(synchronizerEnd, 2), dataEnd)),
        need(both(equal(byteAt(synchronizerEnd), 0x18), below(byteAt(synchronizerEnd, 1), 0x80))),
        counter.set(byteAt(synchronizerEnd, 1)),
      ),
      constant(1),
    ];
  });

  const find = program.routine('usualRecord', 2, I32);
  find.body(([start, end], local) => {
    const at = local();
    const tag = local();
    const field = local();
    const last = local();
    const bit = local();
    const to = local();
    return [
      need(envelope(start, end)),
      at.set(event),
      found.set(0),
      signatories.count.set(0),
      observers.count.set(0),
      whileTrue(
        below(at, eventEnd),
        tag.set(byteAt(at)),
        need(below(tag, 0x80)),
        field.set(shiftRight(tag, 3)),
        bit.set(shiftLeft(1, field)),
        need(either(below(last, field), both(equal(last, field), bitAnd(bit, bits(LISTS))))),
        last.set(field),
        whenElse(
          bitAnd(tag, 7),
          [
            need(both(equal(bitAnd(tag, 7), 2), bitAnd(bit, bits(BYTES)))),
            to.set(span(plus(at, 1), eventEnd)),
            need(to),
            putWord(shiftLeft(field, 3), from, memory),
            putWord(shiftLeft(field, 3), to, memory + 4),
            when(equal(field, EVENT.signatories), ...signatories.add(to)),
            when(equal(field, EVENT.observers), ...observers.add(to)),
            at.set(to),
          ],
          [
            need(bitAnd(bit, bits(NUMBERS))),
            to.set(plus(at, 11)),
            at.set(plus(at, 1)),
            whileTrue(atLeast(byteAt(at), 0x80), at.set(plus(at, 1)), need(below(at, to))),
            at.set(plus(at, 1)),
            need(atMost(at, eventEnd)),
          ],
        ),
        found.set(bitOr(found, bit)),
      ),
      equal(bitAnd(found, bits(NEEDED)), bits(NEEDED)),
    ];
  });

  return {
    find,
    start: (field) => wordAt(memory + 8 * field),
    end: (field) => wordAt(memory + 8 * field + 4),
    has: (field) => bitAnd(found, 1 << field),
    signatories,
    observers,
    synchronizer,
    synchronizerEnd,
    counter,
  };
}

function bits(fields: readonly number[]): number {
  return fields.reduce((all, field) => all | (1 << field), 0);
}
