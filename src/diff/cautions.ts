/**
 * What the result of a comparison may not be taken for, however equal or different the inputs look: to be told with it.
 */
import { partiesLeftOut } from '../commitment/hostedParties.js';
import type { HostingMap } from '../commitment/hostingMap.js';
import type { DiffSource, DiffSourceFacts } from './diffSource.js';
import type { DiffScope } from './scope.js';
import type { DiffSummary } from './summary.js';

export interface Caution {
  readonly code: string;
  readonly message: string;
  /** The input it is about, by its name. */
  readonly input?: string;
  /** How many contracts or parties. */
  readonly count?: number;
}

/** `DIFF_PARTIAL_INPUT`: inputs that were not made for every party their participant hosts. Known before comparing. */
export function partialInputs(sources: readonly DiffSource[], hosting: HostingMap): Caution[] {
  return sources.flatMap((source) => {
    const leftOut = partiesLeftOut(hosting, source);
    if (leftOut.length === 0) return [];
    return {
      code: 'DIFF_PARTIAL_INPUT',
      message: `${source.name} was not made for ${leftOut.join(', ')}: contracts it could show for these alone are not compared there`,
      input: source.name,
      count: leftOut.length,
    };
  });
}

/**
 * The others: `D2`, `DIFF_NOT_SHARED_SHOWN`, `DIFF_STORES_APART`, `DIFF_STORE_BEHIND`, `DIFF_NOTHING_COMPARED`. `facts` are
 * those that `diffInputs` hands to `onFacts`, in the order of the inputs.
 */
export function resultCautions(
  sources: readonly DiffSource[],
  scope: DiffScope,
  facts: readonly DiffSourceFacts[],
  summary: DiffSummary,
): Caution[] {
  const names = sources.map(({ name }) => name);
  const cautions: Caution[] = [];
  const add = (code: string, message: string | undefined): void => {
    if (message !== undefined) cautions.push({ code, message });
  };
  for (const { name, inFlightUnknown } of summary.inputs) {
    if (inFlightUnknown === 0) continue;
    cautions.push({
      code: 'D2',
      message: `${name}: ${inFlightUnknown} contracts are in flight and not in the file`,
      input: name,
      count: inFlightUnknown,
    });
  }
  if (summary.different > 0) {
    add('DIFF_NOT_SHARED_SHOWN', openedWithoutScope(sources, scope));
    add('DIFF_STORES_APART', seenSkew(names, facts, scope.synchronizer ?? scope.hosting?.synchronizerId));
  }
  // Two that are equal may be so because of what is missing.
  for (const message of storesBehind(names, facts)) add('DIFF_STORE_BEHIND', message);
  if (comparedNothing(summary)) add('DIFF_NOTHING_COMPARED', describeNothing(summary));
  return cautions;
}

/** A mistyped party or synchronizer must not look like two equal inputs. */
export function comparedNothing({ compared, notCompared }: DiffSummary): boolean {
  return compared === 0 && notCompared.notAsked + notCompared.otherSynchronizer > 0;
}

function describeNothing({ notCompared, synchronizer }: DiffSummary): string {
  const { notAsked, otherSynchronizer } = notCompared;
  return notAsked > 0
    ? `nothing was compared: no contract has the parties of --party as stakeholders; full party ids are needed`
    : `nothing was compared: none of the ${otherSynchronizer} contracts is on ${synchronizer}`;
}

/** Of a snapshot everything but what the two share lacks in an opened commitment: that is no difference. */
function openedWithoutScope(
  sources: readonly DiffSource[],
  { hosting, shared }: DiffScope,
): string | undefined {
  const scoped = hosting !== undefined || shared === true;
  const opened = sources.filter(({ kind }) => kind === 'opened-commitment').map(({ name }) => name);
  if (scoped || opened.length === 0 || opened.length === sources.length) return undefined;
  return `${opened.join(', ')} holds only what two participants share: without --hosting all other contracts count as differences`;
}

/** Stores that have not seen the record time they are compared at. */
function storesBehind(names: readonly string[], facts: readonly DiffSourceFacts[]): string[] {
  return facts.flatMap(({ behind }, input) =>
    behind === undefined
      ? []
      : `${names[input]} was last seen at ${behind.lastSeen} on ${behind.synchronizer}, before the record time ${behind.recordTime} it is compared at: what happened in between is not in the store; append what has been recorded since`,
  );
}

/** Inputs that are known to stand at different times may differ by what happened in between. */
function seenSkew(
  names: readonly string[],
  facts: readonly DiffSourceFacts[],
  synchronizer: string | undefined,
): string | undefined {
  const first = new Map<string, { time: bigint; name: string; given: boolean }>();
  for (const [input, { seenTimes, recordTimes }] of facts.entries()) {
    const given = seenTimes === undefined;
    for (const [id, time] of seenTimes ?? recordTimes) {
      if (synchronizer !== undefined && id !== synchronizer) continue;
      const name = names[input]!;
      const other = first.get(id);
      if (other === undefined) first.set(id, { time, name, given });
      // Of two that were given the same is demanded, or allowed to differ.
      else if (other.time !== time && !(given && other.given)) {
        const seen = (at: { time: bigint; name: string; given: boolean }): string =>
          `${at.name} ${at.given ? 'stands' : 'was last seen'} at ${at.time}`;
        const earlier = other.time < time ? other.time : time;
        const advice =
          given || other.given
            ? `give ${given ? other.name : name} a --record-time too`
            : `compare both at one time: --synchronizer ${id} --record-time ${other.name}=${earlier} --record-time ${name}=${earlier}`;
        return `on ${id} ${seen(other)}, ${seen({ time, name, given })} microseconds: differences may be what happened in between; ${advice}`;
      }
    }
  }
  return undefined;
}
