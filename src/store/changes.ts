/** `acs store changes`: what happened to the active contracts of a source between two offsets. */
import { AcsError } from '../io/error.js';
import { type AskFilter, describer, type Question, resolveQuestion } from './ask.js';
import type { Db } from './open.js';
import { offsetWithin } from './source.js';

/** `moved`: active on another synchronizer. `transient`: activated and gone again in between. */
export type ChangeKind = 'added' | 'removed' | 'moved' | 'transient';

export interface Change {
  kind: ChangeKind;
  contractId: string;
  template: string;
  packageId: string;
  /** Synchronizers and counters it was active with at the first offset. */
  before: { synchronizer: string; reassignmentCounter: bigint }[];
  after: { synchronizer: string; reassignmentCounter: bigint }[];
}

export interface ChangesOptions extends Omit<AskFilter, 'offset'> {
  source?: string | undefined;
  /** Exclusive. */
  from: bigint;
  /** Inclusive. */
  to: bigint;
}

type Interval = [
  sync: bigint,
  counter: bigint,
  actOff: bigint,
  deactOff: bigint | null,
  template: bigint | null,
  set: bigint | null,
  id: Buffer,
];

/** Changes in the order in which their contracts first changed. A moved contract is one change. */
export function* changesBetween(db: Db, options: ChangesOptions): Generator<Change> {
  const q = resolveQuestion(db, options.source, { ...options, offset: options.to });
  const from = offsetWithin(q.source, options.from);
  if (from > q.offset) {
    throw new AcsError('OFFSET_ORDER', 'the first offset lies behind the second', {
      expected: `at most ${q.offset}`,
      found: `${from}`,
      exitCode: 2,
    });
  }
  const describe = describer(db);
  const accepts = acceptance(db, q);
  const intervals = db
    .prepare(
      `SELECT a.sync_pk, a.counter, a.act_off, a.deact_off, a.template_pk, c.set_pk, c.contract_id
       FROM activation a JOIN contract c USING(contract_pk)
       WHERE a.contract_pk = ? AND a.source_pk = ? ORDER BY a.act_event`,
    )
    .raw()
    .safeIntegers();
  const first = firstEventAfter(db, q.source.pk, from);
  const behind = firstEventAfter(db, q.source.pk, q.offset);
  // Events of one source lie in the order of its offsets, so a range of offsets is a range of events.
  const touched = db
    .prepare(
      'SELECT contract_pk, min(event_pk) FROM event WHERE source_pk = ? AND event_pk >= ? AND event_pk < ? GROUP BY contract_pk ORDER BY 2',
    )
    .raw()
    .iterate(q.source.pk, first, behind) as IterableIterator<[number, number]>;
  for (const [contract] of touched) {
    const rows = (intervals.all(contract, q.source.pk) as Interval[]).filter(accepts);
    if (rows.length === 0) continue;
    const at = (offset: bigint) =>
      rows.filter((row) => row[2] <= offset && (row[3] === null || row[3] > offset));
    const before = at(from);
    const after = at(q.offset);
    const kind = kindOf(before, after, rows, from, q.offset);
    if (kind === undefined) continue;
    const template = describe.template(rows[0][4]);
    const list = (found: Interval[]) =>
      found.map((row) => ({
        synchronizer: describe.synchronizer(row[0]),
        reassignmentCounter: row[1],
      }));
    yield {
      kind,
      contractId: rows[0][6].toString('hex'),
      template: `${template.moduleName}:${template.entityName}`,
      packageId: template.packageId,
      before: list(before),
      after: list(after),
    };
  }
}

function kindOf(
  before: Interval[],
  after: Interval[],
  rows: Interval[],
  from: bigint,
  to: bigint,
): ChangeKind | undefined {
  if (before.length === 0 && after.length === 0)
    return rows.some((row) => row[2] > from && row[2] <= to) ? 'transient' : undefined;
  if (before.length === 0) return 'added';
  if (after.length === 0) return 'removed';
  const key = (list: Interval[]) =>
    list
      .map((row) => `${row[0]}:${row[1]}`)
      .sort()
      .join();
  return key(before) === key(after) ? undefined : 'moved';
}

/** Whether an interval passes the filter of the question. */
function acceptance(db: Db, q: Question): (row: Interval) => boolean {
  const templates = q.templates === undefined ? undefined : new Set(q.templates.map(BigInt));
  const synchronizers = q.synchronizers === undefined ? undefined : new Set(q.synchronizers.map(BigInt));
  const sets =
    q.parties === undefined
      ? undefined
      : new Set(
          (
            db
              .prepare(
                `SELECT DISTINCT set_pk FROM party_set_member WHERE party_pk IN (${q.parties.join(',')})`,
              )
              .pluck()
              .all() as number[]
          ).map(BigInt),
        );
  return (row) =>
    (templates === undefined || (row[4] !== null && templates.has(row[4]))) &&
    (synchronizers === undefined || synchronizers.has(row[0])) &&
    (sets === undefined || (row[5] !== null && sets.has(row[5])));
}

/** The number of the first event of a source behind an offset; one beyond all events when there is none. */
export function firstEventAfter(db: Db, source: number, offset: bigint): number {
  const next = db
    .prepare('SELECT first_event FROM update_tx WHERE source_pk = ? AND off > ? ORDER BY off LIMIT 1')
    .pluck()
    .get(source, offset) as number | undefined;
  return next ?? ((db.prepare('SELECT max(event_pk) FROM event').pluck().get() as number | null) ?? 0) + 1;
}
