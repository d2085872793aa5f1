/**
 * The active contracts of a question as frames of a snapshot file, in the order of a real export: by the offset and node
 * of the activation (so the recorded exports have it; the running-nodes spec says otherwise).
 */
import { BlobView } from '../contract/blob.js';
import { type EventPieces, eventBuilder, lengthDelimited } from '../contract/eventFromBlob.js';
import { AcsError } from '../io/error.js';
import { encodeFrame } from '../snapshot/encodeRecord.js';
import { WireReader } from '../wire/reader.js';
import { type Question, questionSql } from './ask.js';
import { exact, integer } from './exact.js';
import { storeInterner } from './intern.js';
import type { Db } from './open.js';
import { RAW_SHAPE } from './payload.js';

/** Numbers above 2^53 come as text. */
type Row = [
  event: number,
  sync: number,
  counter: number | string,
  offset: number | string,
  node: number,
  layout: number | null,
  package_: number | null,
  shape: number,
  template: number | null,
  blob: Buffer | null,
];

/** Frames of the answer, each valid until the next. */
export function* frames(db: Db, q: Question, askedParties?: readonly string[]): Generator<Buffer> {
  const intern = storeInterner(db);
  const builder = eventBuilder();
  const blob = new BlobView();
  const layouts = layoutCache(db);
  const raw = db.prepare('SELECT form, bytes FROM event_raw WHERE event_pk = ?').raw();
  const witnesses =
    askedParties === undefined || askedParties.length === 0 ? undefined : witnessCutter(askedParties);
  const none: Buffer = Buffer.alloc(0);
  // LIMIT -1 keeps the sort on the narrow rows of the inner query; blobs are fetched behind it.
  const rows = db
    .prepare(
      `SELECT o.event, o.sync, ${exact('o.counter')}, ${exact('o.ledger_off')}, o.node, o.layout, o.rep, o.shape, o.template, b.blob
       FROM (SELECT a.act_event AS event, a.contract_pk AS contract, a.sync_pk AS sync, a.counter AS counter,
               coalesce(e.ledger_offset, e.off) AS ledger_off, e.node_id AS node, e.layout_pk AS layout,
               e.package_pk AS rep, e.shape AS shape, a.template_pk AS template
             ${questionSql(q, { event: true })}
             ORDER BY ledger_off, node, a.act_event
             LIMIT -1) o
       LEFT JOIN contract_blob b ON b.contract_pk = o.contract`,
    )
    .raw()
    .iterate({ o: q.offset }) as IterableIterator<Row>;
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
  for (const row of rows) {
    const counter = integer(row[2]);
    const sync = row[1];
    const shape = row[7];
    const bytes = row[9];
    if ((shape & RAW_SHAPE) !== 0) {
      const kept = raw.get(row[0]) as [number, Buffer] | undefined;
      if (kept === undefined) throw corrupt(row[0]);
      yield kept[0] === 1 ? kept[1] : encodeFrame(kept[1], intern.synchronizerId(sync), BigInt(counter));
      continue;
    }
    if (bytes === null) throw corrupt(row[0]);
    blob.parseKept(bytes, 0, bytes.length);
    pieces.offset = integer(row[3]);
    pieces.nodeId = row[4];
    const template = row[8];
    if (template === null) pieces.template = none;
    else {
      templates[template] ??= intern.templateRow(template).field;
      pieces.template = templates[template];
    }
    const layout = row[5];
    const parties = layout === null ? none : layouts(layout);
    pieces.parties = witnesses === undefined || layout === null ? parties : witnesses(layout, parties);
    const rep = row[6];
    if (rep === null) pieces.representative = none;
    else {
      packages[rep] ??= intern.packageField(rep);
      pieces.representative = packages[rep];
    }
    pieces.shape = shape;
    synchronizers[sync] ??= intern.synchronizerField(sync);
    yield builder.frame(blob, 0, bytes.length, pieces, synchronizers[sync], counter);
  }
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
