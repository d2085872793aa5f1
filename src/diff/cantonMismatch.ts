/**
 * The mismatch file of Canton's own console (commitments spec, section 3, step 4):
 * `{"cidsOnlyLocal": [], "cidsOnlyRemote": [], "differentReassignmentCounters": []}`, indented by two blanks. It compares
 * two inputs and knows ids and counters only: a contract whose content differs has no place in it.
 */
import type { Difference } from './difference.js';
import { openTextSpool, type TextSpool } from './textSpool.js';

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
  const onlyLocal = openTextSpool();
  const onlyRemote = openTextSpool();
  const counters = openTextSpool();
  const used = new Set<TextSpool>();
  let notShown = 0;
  const put = (spool: TextSpool, contractId: string): void => {
    spool.write(`${used.has(spool) ? ',' : ''}\n    "${contractId}"`);
    used.add(spool);
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
      if (local && !remote) put(onlyLocal, difference.contractId);
      else if (remote && !local) put(onlyRemote, difference.contractId);
      else if (local && remote && a?.reassignmentCounter !== b?.reassignmentCounter)
        put(counters, difference.contractId);
      else notShown++;
    },
    get notShown() {
      return notShown;
    },
    *read() {
      const lists = [
        ['cidsOnlyLocal', onlyLocal],
        ['cidsOnlyRemote', onlyRemote],
        ['differentReassignmentCounters', counters],
      ] as const;
      yield Buffer.from('{');
      for (const [index, [name, spool]] of lists.entries()) {
        yield Buffer.from(`${index > 0 ? ',' : ''}\n  "${name}": [`);
        yield* spool.read();
        yield Buffer.from(used.has(spool) ? '\n  ]' : ']');
      }
      yield Buffer.from('\n}\n');
    },
    close() {
      for (const spool of [onlyLocal, onlyRemote, counters]) spool.close();
    },
  };
}
