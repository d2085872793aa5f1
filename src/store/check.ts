/**
 * `acs store check`: is the file sound, do the intervals follow from the events, do the contracts say what their rows
 * say, what has been in flight for too long, and does replay agree with a second snapshot. Changes nothing.
 */
import { BlobView } from '../contract/blob.js';
import { AcsError } from '../io/error.js';
import { inFlightAt, type Question, resolveQuestion } from './ask.js';
import { checkAgainst } from './checkAgainst.js';
import { blobNumberSql } from './contractNumber.js';
import type { FindingCode, FindingLevel } from './findings.js';
import { FINDINGS } from './findings.js';
import { idHash } from './idHash.js';
import { KIND, ledgerState } from './ledgerState.js';
import { newEvent } from './newEvent.js';
import { type Db, withStore } from './open.js';
import { listSources, sourceNamed } from './source.js';
import { intervalDigest } from './storeInfo.js';
import { storeRows } from './storeRows.js';

export interface CheckProblem {
  code: string;
  /** `E`: the store is not sound. `W`, `N`: about the ledger, not the store. */
  level: FindingLevel;
  source: string | undefined;
  detail: string;
  contractId?: string | undefined;
}

export interface CheckResult {
  problems: CheckProblem[];
  /** Problems beyond the limit, by code. */
  more: Record<string, number>;
  /** Interval digest per source: equal for equal states. */
  digests: Record<string, string>;
  events: number;
  contracts: number;
}

export interface CheckOptions {
  source?: string | undefined;
  /** Also a full `integrity_check` of the file. */
  full?: boolean;
  /** A second snapshot of the source, taken at `offset`. */
  against?: string | undefined;
  offset?: bigint | undefined;
  /** Problems listed per code; default 20. */
  limit?: number;
}

export async function checkStore(path: string, options: CheckOptions = {}): Promise<CheckResult> {
  return withStore(path, {}, async ({ db }) => {
    const result: CheckResult = { problems: [], more: {}, digests: {}, events: 0, contracts: 0 };
    if (options.source !== undefined) sourceNamed(db, options.source);
    const limit = options.limit ?? 20;
    const counts = new Map<string, number>();
    const report = (problem: CheckProblem): void => {
      const n = (counts.get(problem.code) ?? 0) + 1;
      counts.set(problem.code, n);
      if (n <= limit) result.problems.push(problem);
      else result.more[problem.code] = n - limit;
    };
    // All of one moment, whatever is appended meanwhile.
    db.exec('BEGIN');
    try {
      checkMoment(db, options, result, report);
    } finally {
      if (db.inTransaction) db.exec('COMMIT');
    }
    if (options.against !== undefined) {
      const q = resolveQuestion(db, options.source, { offset: options.offset });
      await checkAgainst(db, q, options.against, (detail, contractId) =>
        report({ code: 'BASE_DISAGREES', level: 'W', source: q.source.name, contractId, detail }),
      );
    }
    return result;
  });
}

type Report = (problem: CheckProblem) => void;

function checkMoment(db: Db, options: CheckOptions, result: CheckResult, report: Report): void {
  checkFile(db, options.full === true, report);
  result.contracts = checkContracts(db, report);
  checkReferences(db, report);
  // The connection is read-only; only its temporary tables are written.
  db.pragma('query_only = OFF');
  result.events = checkIntervals(db, report);
  for (const source of listSources(db)) {
    if (options.source !== undefined && source.name !== options.source) continue;
    if (source.base === undefined) {
      const detail = 'its base is not complete';
      report({ code: 'LOAD_UNFINISHED', level: 'N', source: source.name, detail });
      continue;
    }
    result.digests[source.name] = intervalDigest(db, source.pk);
    checkLedger(db, resolveQuestion(db, source.name, {}), report);
  }
}

function checkFile(db: Db, full: boolean, report: Report): void {
  const rows = db
    .prepare(full ? 'PRAGMA integrity_check' : 'PRAGMA quick_check')
    .pluck()
    .all() as string[];
  for (const row of rows)
    if (row !== 'ok') report({ code: 'STORE_CORRUPT', level: 'E', source: undefined, detail: row });
}

/** Blob, id, hash, template and time of every contract agree. */
function checkContracts(db: Db, report: Report): number {
  const blob = new BlobView();
  const rows = db
    .prepare(
      `SELECT c.contract_id, c.id_hash, c.created_at, t.module_name || ':' || t.entity_name || ':' || t.package_id, b.blob
       FROM contract c LEFT JOIN template t USING(template_pk) LEFT JOIN contract_blob b ON b.rowid = ${blobNumberSql('c.contract_pk')}`,
    )
    .raw()
    .safeIntegers()
    .iterate() as IterableIterator<[Buffer, bigint, bigint | null, string | null, Buffer | null]>;
  let count = 0;
  for (const [id, hash, createdAt, template, bytes] of rows) {
    count++;
    const contractId = id.toString('hex');
    const wrong = (detail: string): void =>
      report({ code: 'CONTRACT_ROW_WRONG', level: 'E', source: undefined, contractId, detail });
    if (Number(hash) !== idHash(id)) wrong('the index hash is not that of the id');
    if (bytes === null) continue;
    try {
      blob.parse(bytes, 0, bytes.length);
    } catch (error) {
      wrong(error instanceof AcsError ? error.message : String(error));
      continue;
    }
    if (blob.contractId !== contractId) wrong('the blob holds another contract id');
    if (blob.createdAt !== createdAt) wrong('the blob holds another creation time');
    const t = blob.templateId;
    if (`${t.moduleName}:${t.entityName}:${t.packageId}` !== template)
      wrong('the blob holds another template');
  }
  return count;
}

const REFERENCES: readonly (readonly [string, string])[] = [
  ['events without contract', 'event e LEFT JOIN contract c USING(contract_pk) WHERE c.contract_pk IS NULL'],
  ['events without source', 'event e LEFT JOIN source c USING(source_pk) WHERE c.source_pk IS NULL'],
  [
    'created events without bytes',
    `event e LEFT JOIN contract_blob b ON b.rowid = ${blobNumberSql('e.contract_pk')} LEFT JOIN event_raw r USING(event_pk)
     WHERE e.kind NOT IN (3, 4, 9) AND b.rowid IS NULL AND r.event_pk IS NULL`,
  ],
  [
    'intervals without event',
    'activation a LEFT JOIN event e ON e.event_pk = a.act_event WHERE e.event_pk IS NULL',
  ],
  ['intervals that end before they begin', 'activation WHERE deact_off < act_off'],
  ['events behind the head', 'event e JOIN source s USING(source_pk) WHERE e.off > s.head_offset'],
];

function checkReferences(db: Db, report: Report): void {
  for (const [what, from] of REFERENCES) {
    const n = db.prepare(`SELECT count(*) FROM ${from}`).pluck().get() as number;
    if (n > 0) report({ code: 'STORE_CORRUPT', level: 'E', source: undefined, detail: `${n} ${what}` });
  }
}

const DERIVED: readonly (readonly [string, string])[] = [
  [
    'activation',
    'contract_pk, source_pk, sync_pk, act_event, act_off, template_pk, counter, deact_off, deact_event, deact_kind',
  ],
  [
    'reassignment',
    'source_pk, reassignment_id, contract_pk, source_sync, target_sync, counter, u_off, u_event, exclusivity, a_off, a_event',
  ],
  ['orphan', 'contract_pk, event_pk'],
];

/** Rebuilds what is derived from the events, in temporary tables of the same names, and compares. */
function checkIntervals(db: Db, report: Report): number {
  for (const table of [...DERIVED.map(([name]) => name), 'finding']) {
    const sql = db
      .prepare("SELECT sql FROM main.sqlite_master WHERE type = 'table' AND name = ?")
      .pluck()
      .get(table) as string;
    db.exec(sql.replace('CREATE TABLE', 'CREATE TEMP TABLE'));
  }
  try {
    let events = 0;
    for (const source of listSources(db)) events += replay(db, source.pk);
    for (const [table, columns] of DERIVED) {
      for (const [a, b, what] of [
        ['main', 'temp', 'not in the events'],
        ['temp', 'main', 'missing'],
      ]) {
        const n = db
          .prepare(
            `SELECT count(*) FROM (SELECT ${columns} FROM ${a}.${table} EXCEPT SELECT ${columns} FROM ${b}.${table})`,
          )
          .pluck()
          .get() as number;
        if (n > 0)
          report({
            code: 'DERIVED_DIFFERS',
            level: 'E',
            source: undefined,
            detail: `${n} rows of ${table} are ${what} (acs store check compares them with a replay of the log)`,
          });
      }
    }
    return events;
  } finally {
    for (const table of [...DERIVED.map(([name]) => name), 'finding']) db.exec(`DROP TABLE temp.${table}`);
  }
}

const REPLAY_CHUNK = 20_000;

type EventRow = [
  pk: bigint,
  off: bigint,
  kind: bigint,
  contract: bigint,
  sync: bigint,
  counter: bigint,
  template: bigint | null,
  reassignment: Buffer | null,
  from: bigint | null,
  to: bigint | null,
  exclusivity: bigint | null,
];

function replay(db: Db, source: number): number {
  const state = ledgerState(db, storeRows(db, 1), source, { lenient: true });
  const page = db
    .prepare(
      `SELECT e.event_pk, e.off, e.kind, e.contract_pk, e.sync_pk, coalesce(e.counter, 0), c.template_pk,
              r.reassignment_id, r.source_sync, r.target_sync, r.exclusivity
       FROM event e JOIN contract c USING(contract_pk) LEFT JOIN event_reassignment r USING(event_pk)
       WHERE e.source_pk = ? AND e.event_pk > ? ORDER BY e.event_pk LIMIT ${REPLAY_CHUNK}`,
    )
    .raw()
    .safeIntegers();
  const event = newEvent(0n);
  event.byRepair = true;
  let last = 0n;
  let count = 0;
  for (;;) {
    const rows = page.all(source, last) as EventRow[];
    if (rows.length === 0) return count;
    for (const [pk, off, kind, contract, sync, counter, template, id, from, to, exclusivity] of rows) {
      event.off = off;
      event.kind = Number(kind) as typeof event.kind;
      event.contract = Number(contract);
      event.sync = Number(sync);
      event.counter = counter;
      event.template = template === null ? null : Number(template);
      const eventPk = Number(pk);
      const pairs =
        event.kind === KIND.assign ||
        event.kind === KIND.unassign ||
        event.kind === KIND.baseAssigned ||
        event.kind === KIND.baseUnassigned;
      if (pairs && id !== null && from !== null && to !== null) {
        const part = {
          reassignmentId: id.toString('hex'),
          source: '',
          target: '',
          submitter: '',
          counter,
          exclusivity: exclusivity ?? undefined,
        };
        state.pair(event, eventPk, part, Number(from), Number(to), off);
      }
      switch (event.kind) {
        case KIND.create:
        case KIND.assign:
        case KIND.repairAdd:
        case KIND.baseActive:
          state.activate(event, eventPk);
          break;
        case KIND.archive:
        case KIND.unassign:
        case KIND.repairPurge:
          state.deactivate(event, eventPk, false);
          break;
        default:
      }
      last = pk;
      count++;
    }
  }
}

/** What only time shows: reassignments that stay open, contracts active twice. */
function checkLedger(db: Db, q: Question, report: Report): void {
  const source = q.source.name;
  const note = (code: FindingCode, contractId: string, detail: string, level?: FindingLevel): void =>
    report({ code, level: level ?? FINDINGS[code].level, source, contractId, detail });
  const times = new Map(
    db
      .prepare(
        'SELECT y.sync_id, max(t.record_time) FROM sync_time t JOIN synchronizer y USING(sync_pk) WHERE t.source_pk = ? GROUP BY 1',
      )
      .raw()
      .safeIntegers()
      .all(q.source.pk) as [string, bigint][],
  );
  for (const r of inFlightAt(db, q)) {
    const time = times.get(r.kind === 'unassigned' ? r.target : r.source);
    if (r.kind === 'unassigned') {
      if (r.exclusivity !== undefined && time !== undefined && time > r.exclusivity)
        note(
          'UNASSIGN_WITHOUT_ASSIGN',
          r.contractId,
          `${r.source} to ${r.target} since ${r.unassignedOffset}`,
        );
    } else
      note('ASSIGN_WITHOUT_UNASSIGN', r.contractId, `${r.source} to ${r.target} since ${r.assignedOffset}`);
  }
  const twice = db
    .prepare(
      `SELECT lower(hex(c.contract_id)), count(*) FROM activation a JOIN contract c USING(contract_pk)
       WHERE a.source_pk = :s AND a.deact_off IS NULL GROUP BY a.contract_pk HAVING count(*) > 1 AND NOT EXISTS (
         SELECT 1 FROM reassignment r WHERE r.contract_pk = a.contract_pk AND r.source_pk = :s
           AND r.a_off IS NOT NULL AND r.u_off IS NULL)`,
    )
    .raw()
    .all({ s: q.source.pk }) as [string, number][];
  for (const [id, n] of twice) note('MULTI_ACTIVE', id, `active on ${n} synchronizers`);
}
