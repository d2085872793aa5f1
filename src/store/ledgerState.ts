/**
 * The log and what is derived from it: appending one event opens and closes activations, pairs reassignments and notes
 * what does not fit (ledger-semantics spec, sections 3, 7 and 9.3). State is kept per source, synchronizer and contract;
 * nothing is assumed about the order of events on different synchronizers.
 */
import type { ReassignmentPart } from '../ledger/updateEvents.js';
import { type FindingCode, FindingError, type FindingLevel, levelOf, type Strictness } from './findings.js';
import { idBytes } from './idBytes.js';
import type { Db } from './open.js';
import type { StoreRows } from './storeRows.js';

export const KIND = {
  create: 1,
  assign: 2,
  archive: 3,
  unassign: 4,
  baseActive: 5,
  baseUnassigned: 6,
  baseAssigned: 7,
  repairAdd: 8,
  repairPurge: 9,
} as const;

export type EventKind = (typeof KIND)[keyof typeof KIND];

/** Stored instead of an event kind where a newer activation closed an older one. */
export const SUPERSEDED = 0;

/** One event to append. Reused by callers. */
export interface NewEvent {
  off: bigint;
  nodeId: number;
  kind: EventKind;
  contract: number;
  /** The contract was not known to the store before this event. */
  isNew: boolean;
  sync: number;
  counter: bigint | number;
  ledgerOffset: bigint | null;
  layout: number | null;
  package: number | null;
  shape: number;
  raw: Buffer | undefined;
  rawForm: 1 | 2;
  template: number | null;
  /** The update looks like an import or another repair: creating again and counters set by hand are then normal. */
  byRepair: boolean;
}

export interface LedgerState {
  readonly nextEvent: number;
  /** Appends the event without touching what is derived; returns its number. */
  append(event: NewEvent): number;
  appendReassignment(
    eventPk: number,
    part: ReassignmentPart,
    sourceSync: number,
    targetSync: number,
    otherOffset: bigint | null,
  ): void;
  activate(event: NewEvent, eventPk: number): void;
  /** `unknown`: the contract was never seen, and the base is filtered. */
  deactivate(event: NewEvent, eventPk: number, unknown: boolean): void;
  pair(
    event: NewEvent,
    eventPk: number,
    part: ReassignmentPart,
    sourceSync: number,
    targetSync: number,
    off: bigint,
  ): void;
  note(
    code: FindingCode,
    off: bigint,
    contract: number | null,
    eventPk: number | null,
    detail: string,
    level?: FindingLevel,
  ): void;
  /** Findings recorded so far, by code. */
  readonly findings: Map<FindingCode, number>;
  /** Findings above the level of a notice. */
  readonly warnings: number;
}

type ActivationRow = [
  sync: number,
  actEvent: number,
  counter: number,
  open: number,
  deactKind: number | null,
  deactEvent: number | null,
];

/** `beforeNote`: settles what may have something to tell that comes earlier. */
export function ledgerState(
  db: Db,
  rows: StoreRows,
  source: number,
  how: Strictness,
  beforeNote: () => void = () => {},
): LedgerState {
  const insertRaw = db.prepare('INSERT INTO event_raw(event_pk, form, bytes) VALUES (?, ?, ?)');
  const insertPart = db.prepare(
    'INSERT INTO event_reassignment(event_pk, reassignment_id, source_sync, target_sync, exclusivity, submitter, other_offset) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const activations = db
    .prepare(
      'SELECT sync_pk, act_event, counter, deact_off IS NULL, deact_kind, deact_event FROM activation WHERE contract_pk = ? AND source_pk = ? ORDER BY act_event',
    )
    .raw();
  const close = db.prepare(
    'UPDATE activation SET deact_off = ?, deact_event = ?, deact_kind = ? WHERE contract_pk = ? AND source_pk = ? AND sync_pk = ? AND deact_off IS NULL',
  );
  const eventCounter = db.prepare('SELECT counter FROM event WHERE event_pk = ?').pluck();
  const eventKind = db.prepare('SELECT kind FROM event WHERE event_pk = ?').pluck();
  const insertOrphan = db.prepare('INSERT INTO orphan(contract_pk, event_pk) VALUES (?, ?)');
  const insertFinding = db.prepare(
    'INSERT INTO finding(source_pk, code, level, off, contract_pk, event_pk, detail) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const contractIdOf = db
    .prepare('SELECT lower(hex(contract_id)) FROM contract WHERE contract_pk = ?')
    .pluck();
  const findPair = db
    .prepare(
      'SELECT reassign_pk, source_sync, target_sync, counter, u_event, a_event FROM reassignment WHERE source_pk = ? AND reassignment_id = ? AND contract_pk = ?',
    )
    .raw();
  const sameId = db
    .prepare(
      'SELECT source_sync, target_sync, u_event IS NOT NULL, a_event IS NOT NULL FROM reassignment WHERE source_pk = ? AND reassignment_id = ? LIMIT 1',
    )
    .raw();
  const insertPair = db.prepare(
    'INSERT INTO reassignment(source_pk, reassignment_id, contract_pk, source_sync, target_sync, counter, u_off, u_event, exclusivity, a_off, a_event) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const setUnassigned = db.prepare(
    'UPDATE reassignment SET u_off = ?, u_event = ?, exclusivity = ? WHERE reassign_pk = ?',
  );
  const setAssigned = db.prepare('UPDATE reassignment SET a_off = ?, a_event = ? WHERE reassign_pk = ?');
  const findings = new Map<FindingCode, number>();
  let warnings = 0;
  let nextEvent = ((db.prepare('SELECT max(event_pk) FROM event').pluck().get() as number | null) ?? 0) + 1;

  function note(
    code: FindingCode,
    off: bigint,
    contract: number | null,
    eventPk: number | null,
    detail: string,
    level?: FindingLevel,
  ): void {
    beforeNote();
    const effective = levelOf(code, how, level);
    if (effective === 'E') {
      if (contract !== null) rows.flushContracts();
      const id = contract === null ? undefined : (contractIdOf.get(contract) as string | undefined);
      throw new FindingError(code, off, id, detail);
    }
    insertFinding.run(source, code, effective, off, contract, eventPk, detail);
    if (effective === 'W') warnings++;
    findings.set(code, (findings.get(code) ?? 0) + 1);
  }

  /** The checks an activation of a contract with a past on this source has to pass. */
  function checkPast(event: NewEvent, eventPk: number, past: ActivationRow[]): void {
    const { off, contract, sync, kind } = event;
    let previous: ActivationRow | undefined;
    for (const row of past) {
      if (row[0] === sync) previous = row;
      else if (kind === KIND.create && !event.byRepair && (eventKind.get(row[1]) as number) === KIND.create)
        note('CREATE_ELSEWHERE', off, contract, eventPk, 'created on another synchronizer before');
    }
    if (previous === undefined) return;
    const [, , counter, open, deactKind, deactEvent] = previous;
    if (open === 1) {
      note('DOUBLE_ACTIVATION', off, contract, eventPk, `active here since event ${previous[1]}`);
      close.run(off, eventPk, SUPERSEDED, contract, source, sync);
    }
    if (kind === KIND.create && deactKind === KIND.archive && !event.byRepair)
      note('DOUBLE_CREATE', off, contract, eventPk, 'archived here before');
    if (kind === KIND.assign && deactKind === KIND.archive)
      note('ACTIVATION_AFTER_ARCHIVE', off, contract, eventPk, 'archived here before');
    if (kind === KIND.repairAdd || event.byRepair) return;
    const now = BigInt(event.counter);
    if (now <= BigInt(counter)) {
      note(
        'COUNTER_NOT_INCREASING',
        off,
        contract,
        eventPk,
        `counter ${now} after ${counter} on this synchronizer`,
      );
      return;
    }
    const left =
      (deactKind === KIND.unassign || deactKind === KIND.repairPurge) && deactEvent !== null
        ? BigInt((eventCounter.get(deactEvent) as number | null) ?? counter)
        : BigInt(counter);
    if (now > left + 1n)
      note('COUNTER_GAP', off, contract, eventPk, `counter ${now}, last seen here ${left}`);
  }

  return {
    get nextEvent() {
      return nextEvent;
    },
    findings,
    get warnings() {
      return warnings;
    },
    note,
    append(event) {
      const pk = nextEvent++;
      rows.events.add(
        pk,
        source,
        event.off,
        event.nodeId,
        event.kind,
        event.contract,
        event.sync,
        event.counter,
        event.ledgerOffset,
        event.layout,
        event.package,
        event.shape,
      );
      if (event.raw !== undefined) insertRaw.run(pk, event.rawForm, event.raw);
      return pk;
    },
    appendReassignment(eventPk, part, sourceSync, targetSync, otherOffset) {
      insertPart.run(
        eventPk,
        idBytes(part.reassignmentId),
        sourceSync,
        targetSync,
        part.exclusivity ?? null,
        part.submitter === '' ? null : part.submitter,
        otherOffset,
      );
    },
    activate(event, eventPk) {
      if (!event.isNew) {
        if (rows.activations.has(0, event.contract)) rows.activations.flush();
        const past = activations.all(event.contract, source) as ActivationRow[];
        if (past.length > 0) {
          rows.events.flush();
          checkPast(event, eventPk, past);
        }
      }
      rows.activations.add(
        event.contract,
        source,
        event.sync,
        eventPk,
        event.off,
        event.template,
        event.counter,
      );
    },
    deactivate(event, eventPk, unknown) {
      const { off, contract, sync, kind } = event;
      if (rows.activations.has(0, contract)) rows.activations.flush();
      if (kind === KIND.unassign) {
        const open = (activations.all(contract, source) as ActivationRow[]).find(
          (row) => row[0] === sync && row[3] === 1,
        );
        if (open !== undefined && !event.byRepair && BigInt(event.counter) !== BigInt(open[2]) + 1n) {
          note(
            'COUNTER_UNASSIGN',
            off,
            contract,
            eventPk,
            `counter ${event.counter} leaving an activation with ${open[2]}`,
          );
        }
      }
      const closed = event.isNew ? 0 : close.run(off, eventPk, kind, contract, source, sync).changes;
      if (closed > 0) return;
      insertOrphan.run(contract, eventPk);
      const last = (activations.all(contract, source) as ActivationRow[])
        .filter((row) => row[0] === sync)
        .pop();
      if (kind === KIND.archive && last?.[4] === KIND.archive)
        note('DOUBLE_ARCHIVE', off, contract, eventPk, 'archived here before');
      else
        note(
          'DEACTIVATION_WITHOUT_ACTIVATION',
          off,
          contract,
          eventPk,
          last === undefined ? 'never active here' : 'not active here',
          unknown ? 'N' : undefined,
        );
    },
    pair(event, eventPk, part, sourceSync, targetSync, off) {
      const unassigned = event.kind === KIND.unassign || event.kind === KIND.baseUnassigned;
      const id = idBytes(part.reassignmentId);
      const known = findPair.get(source, id, event.contract) as
        | [number, number, number, number, number | null, number | null]
        | undefined;
      if (known === undefined) {
        const sibling = sameId.get(source, id) as [number, number, number, number] | undefined;
        if (sibling !== undefined) {
          const differs = sibling[0] !== sourceSync || sibling[1] !== targetSync;
          const strange = unassigned ? sibling[3] === 1 && sibling[2] === 0 : sibling[2] === 1;
          if (differs) note('REASSIGNMENT_PAIR', off, event.contract, eventPk, 'another source or target');
          else if (strange)
            note('REASSIGNMENT_PAIR', off, event.contract, eventPk, 'not in the other half of its batch');
        }
        insertPair.run(
          source,
          id,
          event.contract,
          sourceSync,
          targetSync,
          event.counter,
          unassigned ? off : null,
          unassigned ? eventPk : null,
          unassigned ? (part.exclusivity ?? null) : null,
          unassigned ? null : off,
          unassigned ? null : eventPk,
        );
        return;
      }
      const [pk, knownSource, knownTarget, counter, uEvent, aEvent] = known;
      if (knownSource !== sourceSync || knownTarget !== targetSync)
        note('REASSIGNMENT_PAIR', off, event.contract, eventPk, 'another source or target');
      if ((unassigned ? uEvent : aEvent) !== null)
        note('REASSIGNMENT_PAIR', off, event.contract, eventPk, 'this half was seen before');
      if (BigInt(counter) !== BigInt(event.counter))
        note(
          'COUNTER_PAIR',
          off,
          event.contract,
          eventPk,
          `counter ${event.counter}, the other half has ${counter}`,
        );
      if (unassigned) setUnassigned.run(off, eventPk, part.exclusivity ?? null, pk);
      else setAssigned.run(off, eventPk, pk);
    },
  };
}
