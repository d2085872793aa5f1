/**
 * A comparison as the mismatch file of Canton's own console. It compares two inputs and knows ids and counters only: a
 * contract whose content differs has no place in it.
 */
import {
  listEnd,
  listEntry,
  listStart,
  MISMATCH_LISTS,
  type MismatchList,
} from '../commitment/mismatchJson.js';
import type { Difference } from './difference.js';
import { openTextSpool } from './textSpool.js';

export interface MismatchFile {
  add(difference: Difference): void;
  /** Differences this form cannot show: content, or stakeholders, with equal counters. */
  readonly notShown: number;
  /** The file, in pieces; the lists ascend when the differences were added in ascending order. */
  read(): Generator<Buffer>;
  close(): void;
}

/** For a comparison of exactly two inputs on `synchronizer` (undefined: wherever a contract is). */
export function openMismatchFile(synchronizer: string | undefined): MismatchFile {
  const spools = {
    cidsOnlyLocal: openTextSpool(),
    cidsOnlyRemote: openTextSpool(),
    differentReassignmentCounters: openTextSpool(),
  };
  const used = new Set<MismatchList>();
  let notShown = 0;
  const put = (list: MismatchList, contractId: string): void => {
    spools[list].write(listEntry(contractId, !used.has(list)));
    used.add(list);
  };
  return {
    add(difference) {
      const here = difference.states.map(
        (state) =>
          state.state === 'active' &&
          (synchronizer === undefined ||
            state.synchronizer === undefined ||
            state.synchronizer === synchronizer),
      );
      const inputs = difference.states.map((state) => state.input);
      const local = here[inputs.indexOf(0)] === true;
      const remote = here[inputs.indexOf(1)] === true;
      const [a, b] = [0, 1].map((input) => difference.states[inputs.indexOf(input)]);
      if (local && !remote) put('cidsOnlyLocal', difference.contractId);
      else if (remote && !local) put('cidsOnlyRemote', difference.contractId);
      else if (local && remote && a?.reassignmentCounter !== b?.reassignmentCounter)
        put('differentReassignmentCounters', difference.contractId);
      else notShown++;
    },
    get notShown() {
      return notShown;
    },
    *read() {
      for (const list of MISMATCH_LISTS) {
        yield Buffer.from(listStart(list));
        yield* spools[list].read();
        yield Buffer.from(listEnd(list, !used.has(list)));
      }
    },
    close() {
      for (const spool of Object.values(spools)) spool.close();
    },
  };
}
