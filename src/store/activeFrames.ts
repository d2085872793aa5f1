/**
 * The active contracts of a question as frames of a snapshot file, in the order of a real export: by the offset and node
 * of the activation (so the recorded exports have it; the running-nodes spec says otherwise).
 */
import { BlobView } from '../contract/blob.js';
import { eventBuilder, type FrameTarget } from '../contract/eventFromBlob.js';
import type { EventPieces } from '../contract/eventPieces.js';
import { AcsError } from '../io/error.js';
import { encodeFrame } from '../snapshot/encodeRecord.js';
import { lengthDelimited } from '../wire/lengthDelimited.js';
import { WireReader } from '../wire/reader.js';
import { type Question, questionSql } from './ask.js';
import { BLOBS_PER_BATCH, type BlobBatch, blobBatch } from './blobBatch.js';
import { blobNumber } from './contractNumber.js';
import { RAW_SHAPE } from './eventShape.js';
import { storeInterner } from './intern.js';
import type { Db } from './open.js';
import { packed, unpack } from './packedRow.js';

/** What is read of a contract beside its blob. No row number is 0, so that 0 is NULL. */
const COLUMNS = [
  'o.event',
  'o.contract',
  'o.sync',
  'o.counter',
  'o.ledger_off',
  'o.node',
  'o.layout',
  'o.rep',
  'o.shape',
  'o.template',
];
/** Big integers are where a double does not hold the number: counters and offsets at most. */
type Row = (number | bigint)[];
const [EVENT, CONTRACT, SYNC, COUNTER, OFFSET, NODE, LAYOUT, REPRESENTATIVE, ITS_SHAPE, TEMPLATE] = [
  ...COLUMNS.keys(),
];

/** Frames of the answer, each valid until the next. */
export function* frames(db: Db, q: Question): Generator<Buffer> {
  const target: FrameTarget = { bytes: Buffer.allocUnsafeSlow(64 * 1024), end: 0 };
  for (const _ of appendFrames(db, q, target)) {
    yield target.bytes.subarray(0, target.end);
    target.end = 0;
  }
}

/** Puts the frames of the answer behind the end of `target`, one at each step. */
export function* appendFrames(db: Db, q: Question, target: FrameTarget): Generator<void> {
  const intern = storeInterner(db);
  const builder = eventBuilder();
  const blob = new BlobView();
  const layouts = layoutCache(db);
  const raw = db.prepare('SELECT form, bytes FROM event_raw WHERE event_pk = ?').raw();
  const witnesses = q.partyIds === undefined ? undefined : witnessCutter(q.partyIds);
  const none: Buffer = Buffer.alloc(0);
  const pieces: EventPieces = {
    offset: 0n,
    nodeId: 0,
    template: none,
    parties: none,
    representative: none,
    shape: 0,
  };
  const templates: Buffer[] = [];
  const packages: Buffer[] = [];
  const synchronizers: Buffer[] = [];
  const blobs = blobBatch(db);
  for (const row of rowsByBatch(db, q, blobs)) {
    const event = row[EVENT] as number;
    const sync = row[SYNC] as number;
    const shape = row[ITS_SHAPE] as number;
    const found = blobs.next();
    if ((shape & RAW_SHAPE) !== 0) {
      const kept = raw.get(event) as [number, Buffer] | undefined;
      if (kept === undefined) throw corrupt(event);
      append(
        target,
        kept[0] === 1 ? kept[1] : encodeFrame(kept[1], intern.synchronizerId(sync), BigInt(row[COUNTER])),
      );
      yield;
      continue;
    }
    if (!found) throw corrupt(event);
    const { buf, start, end } = blobs;
    blob.parseKept(buf, start, end);
    pieces.offset = row[OFFSET];
    pieces.nodeId = row[NODE] as number;
    const template = row[TEMPLATE] as number;
    if (template === 0) pieces.template = none;
    else {
      templates[template] ??= intern.templateRow(template).field;
      pieces.template = templates[template];
    }
    const layout = row[LAYOUT] as number;
    const parties = layout === 0 ? none : layouts(layout);
    pieces.parties = witnesses === undefined || layout === 0 ? parties : witnesses(layout, parties);
    const rep = row[REPRESENTATIVE] as number;
    if (rep === 0) pieces.representative = none;
    else {
      packages[rep] ??= intern.packageField(rep);
      pieces.representative = packages[rep];
    }
    pieces.shape = shape;
    synchronizers[sync] ??= intern.synchronizerField(sync);
    builder.appendFrame(target, blob, start, end, pieces, synchronizers[sync], row[COUNTER]);
    yield;
  }
}

/** The rows of the answer; `blobs` has the batch to which each belongs. */
function* rowsByBatch(db: Db, q: Question, blobs: BlobBatch): Generator<Row> {
  // LIMIT -1 keeps the sort on the narrow rows of the inner query; they are packed behind it.
  const rows = db
    .prepare(
      `SELECT ${packed(COLUMNS)}
       FROM (SELECT a.act_event AS event, a.contract_pk AS contract, a.sync_pk AS sync, a.counter AS counter,
               coalesce(e.ledger_offset, e.off) AS ledger_off, e.node_id AS node, e.layout_pk AS layout,
               e.package_pk AS rep, e.shape AS shape, a.template_pk AS template
             ${questionSql(q, { event: true })}
             ORDER BY ledger_off, node, a.act_event
             LIMIT -1) o`,
    )
    .pluck();
  const batch: Row[] = Array.from({ length: BLOBS_PER_BATCH }, () => COLUMNS.map(() => 0));
  const wanted: (number | null)[] = batch.map(() => null);
  let filled = 0;
  // The blobs of the last batch too are those of the moment at which the rows are seen.
  const begun = !db.inTransaction;
  if (begun) db.exec('BEGIN');
  try {
    for (const text of rows.iterate({ o: q.offset }) as IterableIterator<string>) {
      const row = batch[filled];
      unpack(text, row);
      const kept = ((row[ITS_SHAPE] as number) & RAW_SHAPE) !== 0;
      wanted[filled++] = kept ? null : blobNumber(row[CONTRACT] as number);
      if (filled < BLOBS_PER_BATCH) continue;
      blobs.read(wanted);
      yield* batch;
      filled = 0;
    }
    if (filled === 0) return;
    blobs.read(wanted.fill(null, filled));
    yield* batch.slice(0, filled);
  } finally {
    if (begun && db.inTransaction) db.exec('COMMIT');
  }
}

function append(target: FrameTarget, frame: Buffer): void {
  if (target.end + frame.length > target.bytes.length) {
    const grown = Buffer.allocUnsafeSlow(target.end + frame.length);
    target.bytes.copy(grown, 0, 0, target.end);
    target.bytes = grown;
  }
  target.bytes.set(frame, target.end);
  target.end += frame.length;
}

/** Beyond this many cached layouts the cache starts anew. */
const MAX_LAYOUTS = 200_000;

/** The bytes of layouts, without the checks that a new one needs. */
function layoutCache(db: Db): (pk: number) => Buffer {
  const find = db.prepare('SELECT bytes FROM layout WHERE layout_pk = ?').pluck();
  const known = new Map<number, Buffer>();
  return (pk) => {
    let bytes = known.get(pk);
    if (bytes === undefined) {
      bytes = find.get(pk) as Buffer | undefined;
      if (bytes === undefined) {
        throw new AcsError('STORE_CORRUPT', 'the store refers to a layout that it does not hold', {
          found: `layout ${pk}`,
          hint: 'run `acs store check`',
        });
      }
      if (known.size >= MAX_LAYOUTS) known.clear();
      known.set(pk, bytes);
    }
    return bytes;
  };
}

/** A real export cuts the witnesses to the parties it was asked for. */
function witnessCutter(parties: readonly string[]): (layout: number, bytes: Buffer) => Buffer {
  const asked = new Set(parties);
  const cut = new Map<number, Buffer>();
  return (layout, bytes) => {
    let result = cut.get(layout);
    if (result === undefined) {
      const kept: Buffer[] = [];
      const r = new WireReader(bytes);
      while (r.pos < r.end) {
        const start = r.pos;
        const tag = r.tag();
        const party = r.string();
        if (tag >>> 3 !== 9) kept.push(bytes.subarray(start, r.pos));
        else if (asked.has(party)) kept.push(lengthDelimited(9, party));
      }
      result = Buffer.concat(kept);
      cut.set(layout, result);
    }
    return result;
  };
}

function corrupt(event: number): AcsError {
  return new AcsError('STORE_CORRUPT', 'the store lacks the contract of an event', {
    found: `event ${event}`,
    hint: 'run `acs store check`',
  });
}
