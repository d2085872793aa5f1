/**
 * The parts of a blob that is written as every participant writes it and says what the event around it says: version 2.1,
 * every field once and in order, no key (snapshot-format spec, section 5). The rules are those of blob.ts and
 * eventAgainstBlob.ts; a blob that is not usual is left to them.
 */
import { EVENT } from '../../snapshot/recordBorders.js';
import { I32 } from '../../wire/wasmAssembler.js';
import {
  above,
  atMost,
  below,
  both,
  byteAt,
  type Code,
  constant,
  equal,
  longAt,
  longEqual,
  minus,
  need,
  not,
  plus,
  type Routine,
  times,
  type Variable,
  type WasmProgram,
  when,
  whileTrue,
  wordAt,
} from '../../wire/wasmProgram.js';
import { V1_CANTON_BYTES } from '../contractId.js';
import { MAX_PACKAGE_NAME_BYTES, MAX_PARTY_BYTES, PACKAGE_NAME_CHARACTER } from '../identifier.js';
import type { ByteRoutines } from './byteRoutines.js';
import type { PartyList, UsualRecord } from './usualRecord.js';
import { usualTime } from './usualTime.js';

/** Pairs of parties that are compared to find one in both lists. */
const MAX_PAIRS = 256;

export interface UsualBlob {
  /** `()`, after the record was found usual: 1 when its blob is sound and says the same; then the borders are known. */
  find: Routine;
  contractId: Variable;
  contractIdEnd: Variable;
  template: Variable;
  templateEnd: Variable;
  argument: Variable;
  argumentEnd: Variable;
}

export function usualBlob(
  program: WasmProgram,
  bytes: ByteRoutines,
  record: UsualRecord,
  party: Routine,
): UsualBlob {
  const { span, from, same, ascend, sameHex } = bytes;
  const time = usualTime(program, bytes);
  const packageName = bytes.alphabet('packageNameBytes', PACKAGE_NAME_CHARACTER);
  const contractId = program.global();
  const contractIdEnd = program.global();
  const template = program.global();
  const templateEnd = program.global();
  const argument = program.global();
  const argumentEnd = program.global();
  const at = program.global();

  /** A list of the blob that starts at `at` has the parties of the event's, each valid, and is strictly ascending. */
  function sameList(name: string, tag: number, { count, start, end }: PartyList): Routine {
    const routine = program.routine(name, 1, I32);
    routine.body(([limit], local) => {
      const to = local();
      const begin = local();
      const done = local();
      return [
        whileTrue(
          both(below(at, limit), equal(byteAt(at), tag)),
          to.set(span(plus(at, 1), limit)),
          begin.set(from),
          need(to),
          need(both(below(begin, to), atMost(minus(to, begin), MAX_PARTY_BYTES))),
          need(below(done, count)),
          need(same(begin, to, start(done), end(done))),
          need(party(begin, to)),
          when(done, need(ascend(start(minus(done, 1)), end(minus(done, 1)), start(done), end(done)))),
          done.set(plus(done, 1)),
          at.set(to),
        ),
        equal(done, count),
      ];
    });
    return routine;
  }
  const sameSignatories = sameList('sameSignatories', 0x2a, record.signatories);
  const sameObservers = sameList('sameObservers', 0x32, record.observers);

  const disjoint = program.routine('disjoint', 0, I32);
  disjoint.body((_, local) => {
    const i = local();
    const j = local();
    const { signatories, observers } = record;
    return [
      need(atMost(times(signatories.count, observers.count), MAX_PAIRS)),
      whileTrue(
        below(i, signatories.count),
        j.set(0),
        whileTrue(
          below(j, observers.count),
          need(not(same(signatories.start(i), signatories.end(i), observers.start(j), observers.end(j)))),
          j.set(plus(j, 1)),
        ),
        i.set(plus(i, 1)),
      ),
      constant(1),
    ];
  });

  /** A suffixed id that Canton 3 imports. */
  const cantonId = program.routine('cantonId', 2, I32);
  cantonId.body(([start, end]) => [
    both(
      both(equal(minus(end, start), V1_CANTON_BYTES), equal(byteAt(start), 0)),
      both(
        both(equal(byteAt(start, 33), 0xca), atMost(minus(byteAt(start, 34), 0x10), 2)),
        both(equal(byteAt(start, 35), 0x12), equal(byteAt(start, 36), 0x20)),
      ),
    ),
  ]);

  const find = program.routine('usualBlob', 0, I32);
  find.body((_, local) => {
    const blob = local();
    const end = local();
    const name = local();
    const nameEnd = local();
    /** The field of this tag, which stands where the one before ends. */
    const field = (tag: number, before: Code, start: Variable, to: Variable): Code[] => [
      need(equal(byteAt(before), tag)),
      to.set(span(plus(before, 1), end)),
      start.set(from),
      need(to),
    ];
    return [
      blob.set(record.start(EVENT.createdEventBlob)),
      end.set(record.end(EVENT.createdEventBlob)),
      need(above(minus(end, blob), 6)),
      // Version "2.1": field 1, three bytes.
      need(both(equal(byteAt(blob), 0x0a), equal(wordAt(blob, 1), 0x312e3203))),
      need(equal(byteAt(blob, 5), 0x12)),
      need(equal(span(plus(blob, 6), end), end)),
      at.set(from),
      ...field(0x0a, at, contractId, contractIdEnd),
      need(cantonId(contractId, contractIdEnd)),
      need(sameHex(record.start(EVENT.contractId), record.end(EVENT.contractId), contractId, contractIdEnd)),
      ...field(0x12, contractIdEnd, name, nameEnd),
      need(both(below(name, nameEnd), atMost(minus(nameEnd, name), MAX_PACKAGE_NAME_BYTES))),
      need(packageName(name, nameEnd)),
      need(same(name, nameEnd, record.start(EVENT.packageName), record.end(EVENT.packageName))),
      ...field(0x1a, nameEnd, template, templateEnd),
      ...field(0x22, templateEnd, argument, argumentEnd),
      at.set(argumentEnd),
      need(record.signatories.count),
      need(sameSignatories(end)),
      need(sameObservers(end)),
      need(disjoint()),
      need(both(atMost(plus(at, 9), end), equal(byteAt(at), 0x39))),
      need(longEqual(time.micros(record.start(EVENT.createdAt), record.end(EVENT.createdAt)), longAt(at, 1))),
      need(time.isUsual),
      at.set(plus(at, 9)),
      when(below(at, end), need(equal(byteAt(at), 0x42)), need(equal(span(plus(at, 1), end), end))),
      constant(1),
    ];
  });

  return { find, contractId, contractIdEnd, template, templateEnd, argument, argumentEnd };
}
