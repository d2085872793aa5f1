/** The creation time of a contract, as an import wants it. */
import { AcsError } from '../io/error.js';
import { type BlobView, CREATED_AT_NOW } from './blob.js';
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from './value.js';

/** Why an import refuses the creation time; undefined when it does not. */
export function creationTimeFault(view: BlobView): 'not set' | 'out of range' | undefined {
  // What a double holds exactly is in range.
  if (!Number.isNaN(view.createdAtNumber)) return undefined;
  const { createdAt } = view;
  if (createdAt === CREATED_AT_NOW) return 'not set';
  return createdAt < MIN_TIMESTAMP || createdAt > MAX_TIMESTAMP ? 'out of range' : undefined;
}

/** Throws `BLOB_CREATED_AT` unless the creation time is set and in range. */
export function requireCreatedAt(view: BlobView): void {
  const fault = creationTimeFault(view);
  if (fault === undefined) return;
  throw new AcsError('BLOB_CREATED_AT', 'the creation time of the contract is out of range', {
    expected: 'years 1 to 9999, in microseconds since 1970',
    found: fault === 'not set' ? fault : `${view.createdAt}`,
  });
}
