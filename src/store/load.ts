/**
 * `acs store load`: a snapshot as the base of a source. Records are taken in batches; each batch is one durable
 * transaction together with the position reached, so that a load that was killed goes on where it stopped when it is
 * run again with the same file.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { inflatedStream, readLedgerStream } from '../contract/ledgerStream.js';
import { readManifest } from '../contract/manifest.js';
import { parseAssigned, parseUnassigned, type ReassignmentPart } from '../contract/updates.js';
import { AcsError } from '../io/error.js';
import { readChunks } from '../io/input.js';
import { RecordView } from '../snapshot/record.js';
import { type ScanOptions, scanSnapshot } from '../snapshot/scan.js';
import { WireReader } from '../wire/reader.js';
import type { FindingCode, Strictness } from './findings.js';
import { FindingError } from './findings.js';
import { storeInterner } from './intern.js';
import { KIND, ledgerState, type NewEvent } from './ledgerState.js';
import { type Db, storeError, withStore } from './open.js';
import { idHash, type Payload, payloads } from './payload.js';
import { createSource, deleteSourceData, findSource, type Source, setFilter } from './source.js';

/** Records per transaction. */
export const LOAD_BATCH = 25_000;

export interface LoadOptions extends Strictness {
  source: string;
  /** Ledger offset at which the snapshot was taken. */
  offset: bigint;
  /** Take only contracts with one of these stakeholders, and remember it. */
  parties?: readonly string[] | undefined;
  /** Throw away what an interrupted load left behind and begin anew. */
  restart?: boolean;
  scan?: ScanOptions;
  batch?: number;
  /** Called after every durable batch: records of the file dealt with so far. */
  onCommit?: (records: number) => void;
}

export interface LoadResult {
  source: string;
  offset: bigint;
  /** `already-loaded`: this file was the base before; nothing was done. */
  status: 'loaded' | 'already-loaded';
  format: 'snapshot' | 'active-contracts';
  records: number;
  contracts: number;
  /** Outside the party filter. */
  skipped: number;
  /** In-flight contracts: named in full (GetActiveContracts), or only counted (snapshot files). */
  inFlight: { named: number; unnamed: number };
  /** Records that were stored by an earlier, interrupted run. */
  resumedAt: number;
  filter: string[] | undefined;
  findings: Record<string, number>;
}

/** Loads `file` into the store at `path`, which is created when missing. */
export async function loadBase(path: string, file: string, options: LoadOptions): Promise<LoadResult> {
  if (options.offset < 0n) {
    throw new AcsError('OFFSET_NEGATIVE', 'an offset cannot be negative', { exitCode: 2 });
  }
  const format = await detectBase(file);
  const filter = await recordedFilter(file, options.parties);
  return withStore(path, { create: true }, async ({ db }) => {
    const source =
      findSource(db, options.source) ?? inTransaction(db, () => createSource(db, options.source));
    if (source.base !== undefined) return alreadyLoaded(db, source, file, format, options);
    let unfinished = unfinishedImport(db, source);
    if (unfinished !== undefined && options.restart === true) {
      inTransaction(db, () => deleteSourceData(db, source.pk));
      unfinished = undefined;
    }
    if (unfinished !== undefined) checkSameLoad(unfinished, options.offset, filter);
    try {
      return await load(db, source, file, format, filter, unfinished, options);
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK');
      throw recordRefusal(db, path, source.pk, error);
    }
  });
}

interface Unfinished {
  pk: number;
  atOffset: bigint;
  filter: string | null;
  nextRecord: number;
  crc: number;
  contracts: number;
  skipped: number;
}

async function load(
  db: Db,
  source: Source,
  file: string,
  format: LoadResult['format'],
  filter: string[] | undefined,
  unfinished: Unfinished | undefined,
  options: LoadOptions,
): Promise<LoadResult> {
  const batch = options.batch ?? LOAD_BATCH;
  const intern = storeInterner(db);
  const store = payloads(db, intern, setFilter(db, filter));
  const state = ledgerState(db, source.pk, options);
  const progress = db.prepare(
    'UPDATE import SET next_record = ?, prefix_crc = ?, contracts = ?, skipped = ? WHERE import_pk = ?',
  );
  const importPk =
    unfinished?.pk ??
    inTransaction(db, () =>
      Number(
        db
          .prepare(
            "INSERT INTO import(source_pk, kind, file, at_offset, filter, status, started_at) VALUES (?, ?, ?, ?, ?, 'loading', ?)",
          )
          .run(
            source.pk,
            format,
            file,
            options.offset,
            filter === undefined ? null : JSON.stringify(filter),
            nowMicros(),
          ).lastInsertRowid,
      ),
    );
  const resumedAt = unfinished?.nextRecord ?? 0;
  let contracts = unfinished?.contracts ?? 0;
  let skipped = unfinished?.skipped ?? 0;
  let records = 0;
  let unnamed = 0;
  let crc = 0;
  let inBatch = 0;
  const event = baseEvent(options.offset);

  /** Counts a record and says whether it is still to be stored. */
  function isNew(buf: Buffer, start: number, end: number): boolean {
    crc = crc32(buf.subarray(start, end), crc);
    records++;
    if (records < resumedAt) return false;
    if (records === resumedAt) {
      if (crc !== unfinished?.crc) {
        throw new AcsError('LOAD_PREFIX_CHANGED', 'the file is not the one whose load was interrupted', {
          hint: 'give the same file again, or begin anew with --restart',
        });
      }
      return false;
    }
    if (inBatch++ === 0) db.exec('BEGIN IMMEDIATE');
    return true;
  }

  function commitWhenFull(): void {
    if (inBatch < batch) return;
    progress.run(records, crc, contracts, skipped, importPk);
    db.exec('COMMIT');
    inBatch = 0;
    options.onCommit?.(records);
  }

  function add(
    record: RecordView,
    sync: number,
    kind: NewEvent['kind'],
    counter: bigint,
    frame: boolean,
  ): number {
    const payload = store.take(record, sync, frame);
    if (payload === undefined) {
      skipped++;
      return 0;
    }
    fill(event, payload, kind, sync, counter);
    event.ledgerOffset = payload.ledgerOffset === options.offset ? null : payload.ledgerOffset;
    const pk = state.append(event);
    reportPayload(state.note, payload, options.offset, pk);
    if (kind === KIND.baseActive) {
      state.activate(event, pk);
      contracts++;
    }
    return pk;
  }

  if (format === 'snapshot') {
    const facts = await scanSnapshot(
      file,
      (record) => {
        if (!isNew(record.buf, record.start, record.end)) return;
        if (!record.inFlight) {
          const sync = intern.synchronizerAt(record.buf, record.synchronizerStart, record.synchronizerEnd);
          add(record, sync, KIND.baseActive, record.counterIsZero ? 0n : record.reassignmentCounter, true);
        }
        commitWhenFull();
      },
      options.scan ?? {},
    );
    unnamed = facts.inFlight;
  } else {
    const pending = pendingReassignments();
    const view = new RecordView();
    await readLedgerStream(file, 'GetActiveContractsResponse', (buf, start, end) => {
      const wanted = isNew(buf, start, end);
      const entry = pending.take(buf, start, end);
      if (entry === undefined || !wanted) return;
      view.parseActive(buf, entry.start, entry.end);
      const sync = intern.synchronizerAt(buf, view.synchronizerStart, view.synchronizerEnd);
      add(view, sync, KIND.baseActive, view.reassignmentCounter, false);
      commitWhenFull();
    });
    if (inBatch++ === 0) db.exec('BEGIN IMMEDIATE');
    for (const found of pending.finish()) {
      const { part } = found;
      const [from, to] = [intern.synchronizer(part.source), intern.synchronizer(part.target)];
      view.parseEvent(found.created, 0, found.created.length);
      const kind = found.assigned ? KIND.baseAssigned : KIND.baseUnassigned;
      const pk = add(view, found.assigned ? to : from, kind, part.counter, false);
      if (pk === 0) continue;
      state.appendReassignment(pk, part, from, to, found.offset);
      state.pair(event, pk, part, from, to, options.offset);
    }
  }
  if (records < resumedAt) {
    throw new AcsError('LOAD_PREFIX_CHANGED', 'the file is shorter than what was loaded from it before', {
      expected: `more than ${resumedAt} records`,
      found: `${records}`,
      hint: 'give the same file again, or begin anew with --restart',
    });
  }
  const sha = file === '-' ? null : await fileSha256(file);
  if (inBatch === 0) db.exec('BEGIN IMMEDIATE');
  progress.run(records, crc, contracts, skipped, importPk);
  db.prepare("UPDATE import SET status = 'complete', sha256 = ?, finished_at = ? WHERE import_pk = ?").run(
    sha,
    nowMicros(),
    importPk,
  );
  db.prepare(
    'UPDATE source SET base_offset = ?, head_offset = ?, base_filter = ?, base_in_flight = ? WHERE source_pk = ?',
  ).run(
    options.offset,
    options.offset,
    filter === undefined ? null : JSON.stringify(filter),
    unnamed,
    source.pk,
  );
  db.exec('COMMIT');
  options.onCommit?.(records);
  db.pragma('wal_checkpoint(TRUNCATE)');
  const named = db
    .prepare('SELECT count(*) FROM event WHERE source_pk = ? AND kind IN (6, 7)')
    .pluck()
    .get(source.pk) as number;
  return {
    source: source.name,
    offset: options.offset,
    status: 'loaded',
    format,
    records,
    contracts,
    skipped,
    inFlight: { named, unnamed },
    resumedAt,
    filter,
    findings: Object.fromEntries(state.findings),
  };
}

/** An empty base: the source's history begins at `offset`, with nothing active. */
export function beginSource(db: Db, name: string, offset: bigint): Source {
  return inTransaction(db, () => {
    const source = findSource(db, name) ?? createSource(db, name);
    if (unfinishedImport(db, source) !== undefined) {
      throw new AcsError('SOURCE_NO_BASE', 'a load into this source was interrupted', {
        hint: 'run the same `acs store load` again first',
      });
    }
    db.prepare('UPDATE source SET base_offset = ?, head_offset = ? WHERE source_pk = ?').run(
      offset,
      offset,
      source.pk,
    );
    db.prepare(
      "INSERT INTO import(source_pk, kind, at_offset, status, started_at, finished_at) VALUES (?, 'begin', ?, 'complete', ?, ?)",
    ).run(source.pk, offset, nowMicros(), nowMicros());
    return { ...source, base: offset, head: offset };
  });
}

/** Copies what the store keeps of a created event into a new event. */
export function fill(
  event: NewEvent,
  payload: Payload,
  kind: NewEvent['kind'],
  sync: number,
  counter: bigint,
): void {
  event.nodeId = payload.nodeId;
  event.kind = kind;
  event.contract = payload.contract;
  event.isNew = payload.isNew;
  event.sync = sync;
  event.counter = counter;
  event.layout = payload.layout?.pk ?? null;
  event.package = payload.package ?? null;
  event.shape = payload.shape;
  event.raw = payload.raw;
  event.rawForm = payload.rawForm;
  event.template = payload.template === 0 ? null : payload.template;
}

/** Findings about a created event as such. */
export function reportPayload(
  note: (code: FindingCode, off: bigint, contract: number, eventPk: number, detail: string) => void,
  payload: Payload,
  off: bigint,
  eventPk: number,
): void {
  if (payload.mismatch !== undefined) {
    note(
      payload.mismatch.kind === 'stakeholders' ? 'STAKEHOLDER_MISMATCH' : 'PAYLOAD_MISMATCH',
      off,
      payload.contract,
      eventPk,
      payload.mismatch.detail,
    );
  }
  if (payload.witnessOutside)
    note('WITNESS_OUTSIDE', off, payload.contract, eventPk, 'a witness is no stakeholder');
}

export function baseEvent(off: bigint): NewEvent {
  return {
    off,
    nodeId: 0,
    kind: KIND.baseActive,
    contract: 0,
    isNew: false,
    sync: 0,
    counter: 0n,
    ledgerOffset: null,
    layout: null,
    package: null,
    shape: 0,
    raw: undefined,
    rawForm: 1,
    template: null,
    imported: false,
  };
}

interface Pending {
  created: Buffer;
  part: ReassignmentPart;
  offset: bigint;
  assigned: boolean;
}

/**
 * Collects the in-flight entries of one `GetActiveContracts` answer. With two or more in flight a participant may put
 * the created event of one contract beside the unassigned event of another (running-nodes spec): both are kept apart and
 * paired by contract id when all have been read.
 */
function pendingReassignments(): {
  /** Borders of the ActiveContract in a response, or undefined when it holds another entry (which is then kept). */
  take(buf: Buffer, start: number, end: number): { start: number; end: number } | undefined;
  finish(): Pending[];
} {
  const created = new Map<string, Buffer>();
  const unassigned = new Map<string, { part: ReassignmentPart; offset: bigint }>();
  const assigned: Pending[] = [];
  const view = new RecordView();

  function incompleteUnassigned(buf: Buffer, start: number, end: number): void {
    const r = new WireReader(buf, start, end);
    while (r.pos < r.end) {
      const tag = r.tag();
      if (tag !== 0x0a && tag !== 0x12) {
        r.skip(tag & 7);
        continue;
      }
      const n = r.length();
      const [from, to] = [r.pos, r.pos + n];
      if (tag === 0x0a) {
        view.parseEvent(buf, from, to);
        created.set(view.contractId, Buffer.from(buf.subarray(from, to)));
      } else {
        const event = parseUnassigned(new WireReader(buf, from, to));
        if (event.reassignment !== undefined)
          unassigned.set(buf.toString('latin1', event.idStart, event.idEnd), {
            part: event.reassignment,
            offset: event.offset,
          });
      }
      r.pos = to;
    }
  }

  return {
    take(buf, start, end) {
      const r = new WireReader(buf, start, end);
      let active: { start: number; end: number } | undefined;
      while (r.pos < r.end) {
        const tag = r.tag();
        if (tag !== 0x12 && tag !== 0x1a && tag !== 0x22) {
          r.skip(tag & 7);
          continue;
        }
        const n = r.length();
        const [from, to] = [r.pos, r.pos + n];
        r.pos = to;
        if (tag === 0x12) active = { start: from, end: to };
        else if (tag === 0x1a) incompleteUnassigned(buf, from, to);
        else {
          const inner = new WireReader(buf, from, to);
          while (inner.pos < inner.end) {
            const innerTag = inner.tag();
            if (innerTag !== 0x0a) {
              inner.skip(innerTag & 7);
              continue;
            }
            const size = inner.length();
            const event = parseAssigned(new WireReader(buf, inner.pos, inner.pos + size));
            inner.pos += size;
            view.parseEvent(buf, event.createdStart, event.createdEnd);
            if (event.reassignment !== undefined)
              assigned.push({
                created: Buffer.from(buf.subarray(event.createdStart, event.createdEnd)),
                part: event.reassignment,
                offset: view.ledgerOffset,
                assigned: true,
              });
          }
        }
      }
      return active;
    },
    finish() {
      const found: Pending[] = [];
      for (const [id, event] of created) {
        const half = unassigned.get(id);
        if (half === undefined) {
          throw new AcsError(
            'BASE_UNPAIRED',
            'an in-flight entry has a contract but no unassignment for it',
            {
              contractId: id,
              hint: 'the file holds only a part of the answer; record GetActiveContracts again',
            },
          );
        }
        found.push({ created: event, part: half.part, offset: half.offset, assigned: false });
      }
      return [...found, ...assigned];
    },
  };
}

/** A snapshot file, or recorded `GetActiveContracts` responses: told by the first message. */
async function detectBase(file: string): Promise<LoadResult['format']> {
  if (file === '-') return 'snapshot';
  const stream = await inflatedStream(file);
  if (stream === undefined) return 'snapshot';
  await stream.close();
  if (stream.json)
    return /"(active_?contract|incomplete_?(una|a)ssigned)"/i.test(stream.head.toString('latin1'))
      ? 'active-contracts'
      : 'snapshot';
  const r = new WireReader(stream.head);
  try {
    const n = r.uint32();
    r.end = Math.min(r.end, r.pos + n);
    while (r.pos < r.end) {
      const tag = r.tag();
      if (tag === 0x12 || tag === 0x1a || tag === 0x22) return 'active-contracts';
      if (tag !== 0x0a) return 'snapshot';
      r.skip(tag & 7);
    }
  } catch (error) {
    // Cut or no protobuf at all: the snapshot reader says what is wrong.
    if (!(error instanceof AcsError)) throw error;
  }
  return 'snapshot';
}

async function recordedFilter(
  file: string,
  parties: readonly string[] | undefined,
): Promise<string[] | undefined> {
  const manifest = await readManifest(file);
  const exported =
    manifest?.parties !== undefined && manifest.parties.length > 0 ? manifest.parties : undefined;
  if (parties === undefined || parties.length === 0) return exported;
  const missing = exported === undefined ? [] : parties.filter((party) => !exported.includes(party));
  if (missing.length > 0) {
    throw new AcsError('PARTY_OUTSIDE_FILTER', 'the file was exported without this party', {
      expected: exported?.join(', '),
      found: missing.join(', '),
      exitCode: 2,
    });
  }
  return [...new Set(parties)].sort();
}

function unfinishedImport(db: Db, source: Source): Unfinished | undefined {
  const row = db
    .prepare(
      "SELECT import_pk, at_offset, filter, next_record, prefix_crc, contracts, skipped FROM import WHERE source_pk = ? AND status = 'loading'",
    )
    .raw()
    .safeIntegers()
    .get(source.pk) as [bigint, bigint, string | null, bigint, bigint, bigint, bigint] | undefined;
  if (row === undefined) return undefined;
  return {
    pk: Number(row[0]),
    atOffset: row[1],
    filter: row[2],
    nextRecord: Number(row[3]),
    crc: Number(row[4]),
    contracts: Number(row[5]),
    skipped: Number(row[6]),
  };
}

function checkSameLoad(unfinished: Unfinished, offset: bigint, filter: string[] | undefined): void {
  const wanted = filter === undefined ? null : JSON.stringify(filter);
  if (unfinished.atOffset === offset && unfinished.filter === wanted) return;
  throw new AcsError('LOAD_UNFINISHED', 'an interrupted load with other options is in the way', {
    expected: `offset ${unfinished.atOffset}, parties ${unfinished.filter ?? 'all'}`,
    found: `offset ${offset}, parties ${wanted ?? 'all'}`,
    hint: 'run that load again, or begin anew with --restart',
  });
}

async function alreadyLoaded(
  db: Db,
  source: Source,
  file: string,
  format: LoadResult['format'],
  options: LoadOptions,
): Promise<LoadResult> {
  const row = db
    .prepare(
      "SELECT sha256, next_record, contracts, skipped FROM import WHERE source_pk = ? AND at_offset = ? AND kind <> 'updates' AND status = 'complete'",
    )
    .raw()
    .get(source.pk, options.offset) as [Buffer | null, number, number, number] | undefined;
  if (row?.[0] && file !== '-' && row[0].equals(await fileSha256(file))) {
    return {
      source: source.name,
      offset: options.offset,
      status: 'already-loaded',
      format,
      records: row[1],
      contracts: row[2],
      skipped: row[3],
      inFlight: { named: 0, unnamed: source.baseInFlight },
      resumedAt: row[1],
      filter: source.filter,
      findings: {},
    };
  }
  throw new AcsError('SOURCE_HAS_BASE', 'the source has a base already', {
    found: `${source.name} at offset ${source.base}`,
    hint: 'load it under another --source, or compare it: acs store check --source P --against FILE --offset N',
  });
}

async function fileSha256(file: string): Promise<Buffer> {
  const digest = createHash('sha256');
  for await (const chunk of readChunks(file)) digest.update(chunk);
  return digest.digest();
}

export function nowMicros(): bigint {
  return BigInt(Date.now()) * 1000n;
}

/** Runs `body` in a write transaction of its own. */
export function inTransaction<T>(db: Db, body: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = body();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** Writes down an E finding after its batch has been rolled back; then the error goes on. */
export function recordRefusal(db: Db, path: string, source: number, error: unknown): unknown {
  if (!(error instanceof FindingError)) return storeError(error, path);
  const { code, offset, detail, contractId } = error.finding;
  inTransaction(db, () => {
    const contract =
      contractId === undefined
        ? null
        : ((db
            .prepare('SELECT contract_pk FROM contract WHERE id_hash = ? AND contract_id = ?')
            .pluck()
            .get(idHash(Buffer.from(contractId, 'hex')), Buffer.from(contractId, 'hex')) as
            | number
            | undefined) ?? null);
    db.prepare(
      "INSERT INTO finding(source_pk, code, level, off, contract_pk, detail) VALUES (?, ?, 'E', ?, ?, ?)",
    ).run(source, code, offset, contract, detail);
  });
  return error;
}
