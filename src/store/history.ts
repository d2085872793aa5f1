/** `acs store history`: everything the store knows of one contract, over all sources. */
import { describer, type InFlight } from './ask.js';
import { blobNumberSql } from './contractNumber.js';
import { contractNamed } from './names.js';
import type { Db } from './open.js';
import { listSources } from './source.js';

export interface HistoryEvent {
  source: string;
  offset: bigint;
  kind: string;
  synchronizer: string;
  reassignmentCounter: bigint | undefined;
  /** Microseconds since the epoch. */
  recordTime: bigint | undefined;
  updateId: string | undefined;
  workflowId: string | undefined;
  reassignmentId: string | undefined;
  /** The other synchronizer of a reassignment. */
  from: string | undefined;
  to: string | undefined;
}

export interface ContractStatus {
  source: string;
  /** ledger-semantics spec, section 3.1. */
  status: 'active' | 'in-flight' | 'left-visibility' | 'archived' | 'conflict' | 'unknown';
  synchronizers: string[];
  /** Where it is going, or the synchronizer that lags. */
  note: string | undefined;
}

export interface ContractHistory {
  contractId: string;
  template: string;
  packageName: string;
  packageId: string;
  createdAt: bigint | undefined;
  signatories: string[];
  observers: string[];
  hasPayload: boolean;
  events: HistoryEvent[];
  status: ContractStatus[];
  findings: { source: string; code: string; level: string; offset: bigint | undefined; detail: string }[];
}

/** `wanted` names the contract, see {@link contractNamed}. */
export function contractHistory(db: Db, wanted: string): ContractHistory {
  const row = db
    .prepare(
      `SELECT c.contract_pk, c.template_pk, c.set_pk, c.created_at, b.rowid IS NOT NULL, lower(hex(c.contract_id))
       FROM contract c LEFT JOIN contract_blob b ON b.rowid = ${blobNumberSql('c.contract_pk')} WHERE c.contract_pk = ?`,
    )
    .raw()
    .safeIntegers()
    .get(contractNamed(db, wanted)) as [bigint, bigint | null, bigint | null, bigint | null, bigint, string];
  const describe = describer(db);
  const template = describe.template(row[1]);
  const parties = describe.set(row[2]);
  return {
    contractId: row[5],
    template: `${template.moduleName}:${template.entityName}`,
    packageName: template.packageName,
    packageId: template.packageId,
    createdAt: row[3] ?? undefined,
    signatories: parties.signatories,
    observers: parties.observers,
    hasPayload: row[4] === 1n,
    events: eventsOf(db, row[0]),
    status: statusOf(db, row[0]),
    findings: (
      db
        .prepare(
          'SELECT s.name, f.code, f.level, f.off, f.detail FROM finding f JOIN source s USING(source_pk) WHERE f.contract_pk = ? ORDER BY f.finding_pk',
        )
        .raw()
        .safeIntegers()
        .all(row[0]) as [string, string, string, bigint | null, string][]
    ).map(([source, code, level, offset, detail]) => ({
      source,
      code,
      level,
      offset: offset ?? undefined,
      detail,
    })),
  };
}

type EventRow = [
  source: string,
  offset: bigint,
  kind: string,
  sync: string,
  counter: bigint | null,
  recordTime: bigint | null,
  updateId: Buffer | null,
  workflow: string | null,
  reassignment: Buffer | null,
  from: string | null,
  to: string | null,
];

function eventsOf(db: Db, contract: bigint): HistoryEvent[] {
  const rows = db
    .prepare(
      `WITH known(event_pk) AS (
         SELECT act_event FROM activation WHERE contract_pk = :c
         UNION SELECT deact_event FROM activation WHERE contract_pk = :c AND deact_event IS NOT NULL
         UNION SELECT event_pk FROM orphan WHERE contract_pk = :c
         UNION SELECT u_event FROM reassignment WHERE contract_pk = :c AND u_event IS NOT NULL
         UNION SELECT a_event FROM reassignment WHERE contract_pk = :c AND a_event IS NOT NULL)
       SELECT s.name, e.off, k.name, y.sync_id, e.counter, u.record_time, u.update_id, u.workflow_id,
              r.reassignment_id, x.sync_id, z.sync_id
       FROM known JOIN event e USING(event_pk) JOIN source s USING(source_pk) JOIN event_kind k USING(kind)
         JOIN synchronizer y ON y.sync_pk = e.sync_pk
         LEFT JOIN update_tx u ON u.source_pk = e.source_pk AND u.off = e.off
         LEFT JOIN event_reassignment r ON r.event_pk = e.event_pk
         LEFT JOIN synchronizer x ON x.sync_pk = r.source_sync LEFT JOIN synchronizer z ON z.sync_pk = r.target_sync
       ORDER BY s.name, e.event_pk`,
    )
    .raw()
    .safeIntegers()
    .all({ c: contract }) as EventRow[];
  return rows.map(
    ([source, offset, kind, sync, counter, time, update, workflow, reassignment, from, to]) => ({
      source,
      offset,
      kind,
      synchronizer: sync,
      reassignmentCounter: counter ?? undefined,
      recordTime: time ?? undefined,
      updateId: update === null ? undefined : update.toString('hex'),
      workflowId: workflow ?? undefined,
      reassignmentId: reassignment === null ? undefined : reassignment.toString('hex'),
      from: from ?? undefined,
      to: to ?? undefined,
    }),
  );
}

/** The status of a contract on every source that knows it, at the head. */
function statusOf(db: Db, contract: bigint): ContractStatus[] {
  const found: ContractStatus[] = [];
  for (const source of listSources(db)) {
    if (source.head === undefined) continue;
    const status = contractStatus(db, source.pk, contract, source.head);
    if (status !== undefined) found.push({ source: source.name, ...status });
  }
  return found;
}

/**
 * The derived status of a contract at an offset (ledger-semantics spec, section 3.1); undefined when the source has not
 * seen it by then.
 */
export function contractStatus(
  db: Db,
  source: number,
  contract: bigint | number,
  offset: bigint,
): Omit<ContractStatus, 'source'> | undefined {
  const intervals = db
    .prepare(
      `SELECT y.sync_id, a.deact_off IS NULL OR a.deact_off > :o,
              CASE WHEN a.deact_off <= :o THEN a.deact_kind END, coalesce(a.deact_event, a.act_event)
       FROM activation a JOIN synchronizer y USING(sync_pk)
       WHERE a.contract_pk = :c AND a.source_pk = :s AND a.act_off <= :o ORDER BY a.counter, a.act_event`,
    )
    .raw()
    .all({ c: contract, s: source, o: offset }) as [string, number, number | null, number][];
  const orphans = db
    .prepare(
      `SELECT e.kind FROM orphan o JOIN event e USING(event_pk)
       WHERE o.contract_pk = ? AND e.source_pk = ? AND e.off <= ? ORDER BY e.event_pk`,
    )
    .pluck()
    .all(contract, source, offset) as number[];
  const open = (
    db
      .prepare(
        `SELECT x.sync_id, y.sync_id, r.u_off <= :o, r.a_off <= :o, r.exclusivity IS NOT NULL
         FROM reassignment r JOIN synchronizer x ON x.sync_pk = r.source_sync
           JOIN synchronizer y ON y.sync_pk = r.target_sync
         WHERE r.contract_pk = :c AND r.source_pk = :s AND (r.u_off <= :o OR r.a_off <= :o)`,
      )
      .raw()
      .all({ c: contract, s: source, o: offset }) as [string, string, number | null, number | null, number][]
  ).map(([from, to, u, a, exclusive]) => ({ from, to, u: u === 1, a: a === 1, exclusive: exclusive === 1 }));
  if (intervals.length === 0 && orphans.length === 0 && open.length === 0) return undefined;
  const active = intervals.filter((row) => row[1] === 1).map((row) => row[0]);
  const archived =
    intervals.some((row) => row[2] === 3 || row[2] === 9) || orphans.some((kind) => kind === 3 || kind === 9);
  const arrived = open.filter((r) => r.a && !r.u);
  const left = open.filter((r) => r.u && !r.a);
  if (active.length > 1) {
    // The intervals stand by counter: the highest of those it has come to is where it is.
    const target = active.findLast((s) => arrived.some((r) => r.to === s));
    if (target === undefined) return { status: 'conflict', synchronizers: active, note: undefined };
    const lagging = active.filter((s) => s !== target);
    return { status: 'active', synchronizers: [target], note: `lagging on ${lagging.join(', ')}` };
  }
  if (active.length === 1) {
    const last = arrived.some((r) => !active.includes(r.to));
    if (archived && last)
      return { status: 'archived', synchronizers: active, note: `lagging on ${active.join(', ')}` };
    const unseen = arrived.some((r) => active.includes(r.to));
    return {
      status: 'active',
      synchronizers: active,
      note: unseen ? 'its leaving the other synchronizer has not been seen' : undefined,
    };
  }
  const flying = left.find((r) => r.exclusive);
  if (flying !== undefined)
    return { status: 'in-flight', synchronizers: [], note: `${flying.from} to ${flying.to}` };
  if (archived)
    return {
      status: 'archived',
      synchronizers: [],
      note: arrived.length > 0 ? 'its leaving the other synchronizer has not been seen' : undefined,
    };
  const gone = left[left.length - 1];
  if (gone !== undefined) return { status: 'left-visibility', synchronizers: [], note: `to ${gone.to}` };
  return { status: 'unknown', synchronizers: [], note: undefined };
}

/** One line for an in-flight contract. */
export function describeInFlight(r: InFlight): string {
  return r.kind === 'unassigned'
    ? `left ${r.source} at ${r.unassignedOffset}, not yet on ${r.target}`
    : `on ${r.target} since ${r.assignedOffset}, leaving ${r.source} not seen`;
}
