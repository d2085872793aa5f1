/** Between the passes of a remap: new ids of the contracts that refer to others, in the order of the references. */
import { decodeBlob, encodeBlob } from '../contract/contractInstance.js';
import { decodeValue } from '../contract/valueDecoder.js';
import { encodeValue } from '../contract/valueEncoder.js';
import { AcsError } from '../io/error.js';
import { ID_NEW } from './contractTable.js';
import { authenticityFault, computeNewId } from './newContractId.js';
import { RecordRewriter } from './recordRewriter.js';
import { addFinding, type PendingContract, type RemapState, resolvedId, sourceIdOf } from './remapState.js';
import { ValueRemapper } from './remapValue.js';
import { notAuthentic } from './settleContract.js';

/** A reference made from an id that is no hex, see {@link ContractPreparer.tableId}; no committed contract has such an id. */
const LOCAL_ID_BYTES = 33;

/** Kahn's order. Error `REFERENCE_CYCLE`; dangling references are findings. */
export function resolveReferences(state: RemapState): void {
  const { pending } = state;
  const resolve = resolver(state);
  const indexOf = new Map<number, number>();
  pending.forEach(({ number }, i) => {
    indexOf.set(number, i);
  });
  const waiting = new Int32Array(pending.length);
  const referrers = new Map<number, number[]>();
  const ready: number[] = [];
  pending.forEach(({ references }, i) => {
    for (const reference of references) {
      if (!indexOf.has(reference)) continue;
      waiting[i]++;
      const known = referrers.get(reference);
      if (known === undefined) referrers.set(reference, [i]);
      else known.push(i);
    }
    if (waiting[i] === 0) ready.push(i);
  });
  let done = 0;
  for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
    done++;
    resolve(pending[next]);
    for (const i of referrers.get(pending[next].number) ?? []) if (--waiting[i] === 0) ready.push(i);
  }
  if (done < pending.length) {
    const circle = circleAmong(pending, indexOf, waiting);
    const names = circle.map((i) => sourceIdOf(state, pending[i].number));
    throw new AcsError('REFERENCE_CYCLE', 'contracts refer to each other in a circle: the input is corrupt', {
      contractId: names[0],
      found: `${names.slice(0, 5).join(' → ')}${names.length > 5 ? ` … (${names.length} contracts)` : ''} → ${names[0]}`,
    });
  }
}

/** A circle of contracts, in the order of their references. What waits leads to one, but need not be part of it. */
function circleAmong(
  pending: readonly PendingContract[],
  indexOf: ReadonlyMap<number, number>,
  waiting: Int32Array,
): number[] {
  const path: number[] = [];
  const placeOf = new Map<number, number>();
  let at = waiting.findIndex((count) => count > 0);
  while (!placeOf.has(at)) {
    placeOf.set(at, path.length);
    path.push(at);
    const next = pending[at].references.find((reference) => waiting[indexOf.get(reference) ?? -1] > 0);
    at = indexOf.get(next as number) as number;
  }
  return path.slice(placeOf.get(at));
}

/** Resolves one contract after those it refers to. */
function resolver(state: RemapState): (contract: PendingContract) => void {
  const { table } = state;
  const changesParties = state.options.map.entries.some((entry) => entry.old !== entry.new);
  const withNewReferences = referenceWriter(state);
  return (contract) => {
    const { number, references } = contract;
    const dangling = references.filter((reference) => !table.isContract(reference));
    const moved = references.some((reference) => table.stateOf(reference) === ID_NEW);
    for (const reference of dangling) {
      if (table.oldLength(reference) === LOCAL_ID_BYTES) throw unresolvable(sourceIdOf(state, number));
      if (contract.changed || moved || changesParties) {
        addFinding(state, 'DANGLING_REFERENCE', `${table.oldId(number)} → ${table.oldId(reference)}`);
      }
    }
    if (!contract.changed && !moved) {
      table.keepId(number);
      return;
    }
    let blob = state.kept.get(contract.handle);
    const { version, representativePackageId: representative } = contract;
    // What changes itself was checked when it was read; this one's content is still as it was.
    if (!contract.changed) {
      const fault = authenticityFault(state.hasher, state.view.parse(blob), representative, representative);
      if (fault !== undefined) notAuthentic(state, sourceIdOf(state, number), fault);
    }
    if (moved) blob = withNewReferences(blob);
    computeNewId(state, number, blob, version, representative);
  };
}

/** Puts the new references into a blob whose parties are changed already. */
function referenceWriter({ options, table, view }: RemapState): (blob: Buffer) => Buffer {
  const { compiler, longWay } = options;
  const rewriter = new RecordRewriter({
    party: (party) => party,
    reference: (buf, start, end) => {
      const number = table.number(buf, start, end);
      return table.stateOf(number) === ID_NEW ? table.newIdBytes(number) : undefined;
    },
    plainText: () => true,
    synchronizer: (id) => id,
  });
  const remapper = new ValueRemapper({
    party: (party) => party,
    contractId: (id) => resolvedId(table, id),
    keyCollision: () => undefined,
  });
  return (blob) => {
    const parsed = view.parse(blob);
    const short = longWay === true || parsed.hasKey ? undefined : rewriter.blob(parsed);
    if (short !== undefined) return short;
    const instance = decodeBlob(blob);
    const { packageId, moduleName, entityName } = instance.templateId;
    const plan =
      compiler?.packages.get(packageId) === undefined
        ? undefined
        : compiler.template(packageId, `${moduleName}:${entityName}`).arg;
    const argument = decodeValue(instance.createArgument);
    return encodeBlob({ ...instance, createArgument: encodeValue(remapper.remap(argument, plan)) });
  };
}

function unresolvable(contractId: string): AcsError {
  return new AcsError(
    'REFERENCE_UNRESOLVABLE',
    'the contract refers to one that is in no input and has no Canton id',
    {
      contractId,
      expected: 'every contract that is referred to, since only then its new id is known',
      hint: 'give the dump that holds it as a further input',
    },
  );
}
