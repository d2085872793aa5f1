/**
 * Turns the records of a file into rows while other threads read the other inputs: rows that another thread has are not
 * made, and of its own this one makes only what is not shown by all the others soon after. Whatever happens, every row
 * that differs somewhere is made by one thread at least (see claims.ts for why).
 */
import { BlobView } from '../contract/blob.js';
import { ContractView } from '../contract/contractView.js';
import { EVENT, type RecordView } from '../snapshot/record.js';
import { copyWords } from '../wire/copyBytes.js';
import { wordsOf } from '../wire/sameBytes.js';
import { type Claims, SHOWN, UNCLAIMED } from './claims.js';
import { MAX_ID_BYTES, type RowBuilder, usualIdStart } from './fingerprint.js';
import { HASH_ROOM, type KeyedHash, MAX_HASHED_BYTES, MESSAGE_START } from './keyedHash.js';
import { fillRow } from './rowSink.js';

/** Rows that wait to be shown by the others: two pages, of which the older one is settled when the younger one is full. */
const PAGE_BYTES = 4 << 20;
const PAGE_ROWS = 1 << 14;
/** Memory {@link openClaimingSink} wants for messages. */
export const CLAIMING_BYTES = 2 * (PAGE_BYTES + HASH_ROOM);
/** After a page of which most rows had to be told after all, the rows of so many are told at once before it is tried again. */
const REST_PAGES = 8;

/** A message: five words (lengths of blob, synchronizer id and representative package, counter), then these three. */
const HEADER_BYTES = 20;

const UNUSUAL_BYTES = MAX_ID_BYTES + HASH_ROOM;

export interface ClaimingSink {
  record(view: RecordView): void;
  /** Tells the rows that wait; they may be dropped nevertheless. */
  finish(): void;
  /** Rows dropped so far. */
  readonly dropped: number;
  /** True when this thread has stopped to use the claims, for they were closed. */
  readonly apart: boolean;
}

export interface ClaimingSinkOptions {
  builder: RowBuilder;
  hash: KeyedHash;
  claims: Claims;
  input: number;
  /** All inputs, one bit each, when what they all show alike may be dropped. */
  droppable: number | undefined;
  /** How many rows may wait in a page; default {@link PAGE_ROWS}. */
  pageRows?: number;
  /** Takes the row in the builder. `slot` is that of its claim, or -1; index and offset are those of its record. */
  tell: (slot: number, index: number, offset: number) => void;
}

interface Page {
  readonly start: number;
  rows: number;
  readonly addresses: Int32Array;
  readonly slots: Int32Array;
  readonly indices: Float64Array;
  readonly offsets: Float64Array;
}

export function openClaimingSink(options: ClaimingSinkOptions): ClaimingSink {
  const { builder, hash, claims, input, droppable, tell, pageRows = PAGE_ROWS } = options;
  const { bytes, words, result } = hash;
  const view = new ContractView();
  const blobView = new BlobView();
  let page = newPage(MESSAGE_START, pageRows);
  let older = newPage(MESSAGE_START + PAGE_BYTES + HASH_ROOM, pageRows);
  /** Where the next message goes. */
  let next = page.start;
  /** Where the contract id of the record at hand begins, as {@link hashed} has found it. */
  let idStart = 0;
  /** Rows to be told at once. */
  let resting = 0;
  let dropped = 0;
  let apart = false;

  /** Puts what makes the record's row into the memory of the hash, hashes it, and gives its length; 0 when it is unusual. */
  function hashed(record: RecordView, start: number, end: number): number {
    const { buf } = record;
    const id = start < 0 ? -1 : usualIdStart(buf, start, end);
    if (id < 0 || buf[id]! > 1) return 0;
    idStart = id;
    const fields = record.eventFields;
    const represented = fields[2 * EVENT.representativePackageId]!;
    const packageBytes = represented < 0 ? 0 : fields[2 * EVENT.representativePackageId + 1]! - represented;
    const synchronizerBytes = record.synchronizerEnd - record.synchronizerStart;
    const length = HEADER_BYTES + end - start + synchronizerBytes + packageBytes;
    if (length > MAX_HASHED_BYTES) return 0;
    if (next + length > page.start + PAGE_BYTES || page.rows === pageRows) turn();
    words.setInt32(next, end - start, true);
    words.setInt32(next + 4, synchronizerBytes, true);
    words.setInt32(next + 8, packageBytes, true);
    const counter = record.counterIsZero ? 0n : record.reassignmentCounter;
    words.setInt32(next + 12, counter === 0n ? 0 : Number(BigInt.asIntN(32, counter)), true);
    words.setInt32(next + 16, counter === 0n ? 0 : Number(BigInt.asIntN(32, counter >> 32n)), true);
    let at = next + HEADER_BYTES;
    bytes.set(buf.subarray(start, end), at);
    at += end - start;
    const source = wordsOf(buf);
    copyWords(source, record.synchronizerStart, record.synchronizerEnd, words, at);
    if (packageBytes > 0) {
      copyWords(source, represented, represented + packageBytes, words, at + synchronizerBytes);
    }
    hash.hash(next, length, next + HEADER_BYTES + id - start, buf[id - 1]!);
    return length;
  }

  /** Lets the message at hand wait. */
  function keep(record: RecordView, slot: number, length: number): void {
    const row = page.rows++;
    page.addresses[row] = next;
    page.slots[row] = slot;
    page.indices[row] = record.index;
    page.offsets[row] = record.offset;
    next += length;
  }

  /** Settles the older page and goes on in it. */
  function turn(): void {
    const before = dropped;
    settle(older);
    if (older.rows > 0 && 2 * (dropped - before) < older.rows) resting = REST_PAGES * pageRows;
    older.rows = 0;
    const younger = page;
    page = older;
    older = younger;
    next = page.start;
  }

  function settle({ rows, slots, addresses, indices, offsets }: Page): void {
    for (let i = 0; i < rows; i++) {
      const slot = slots[i]!;
      if (droppable !== undefined && claims.drop(slot, droppable)) {
        dropped++;
        continue;
      }
      const at = addresses[i]!;
      const blob = at + HEADER_BYTES;
      const synchronizer = blob + words.getInt32(at, true);
      const represented = synchronizer + words.getInt32(at + 4, true);
      builder.begin(input).content(blobView.parse(bytes, blob, synchronizer), blob, synchronizer);
      builder.synchronizer(bytes, synchronizer, represented);
      builder.counterWords(words.getInt32(at + 12, true), words.getInt32(at + 16, true));
      builder.representative(bytes, represented, represented + words.getInt32(at + 8, true));
      tell(slot, indices[i]!, offsets[i]!);
    }
  }

  function finish(): void {
    settle(older);
    settle(page);
    older.rows = 0;
    page.rows = 0;
    next = page.start;
  }

  /**
   * Tells the row of the record in `view`, whose contract id the claims do not know from its hash: the blob is written in
   * another way than usual, or it is too long.
   */
  function tellUnusual(slot: number): void {
    const { record } = view;
    fillRow(builder, view, input);
    const id = builder.idBytes;
    if (next + UNUSUAL_BYTES > page.start + PAGE_BYTES) turn();
    bytes.set(id, next);
    hash.hash(next + MAX_ID_BYTES, 0, next, id.length);
    if (apart) claims.passBy(result);
    else claims.show(result, input, true);
    tell(slot, record.index, record.offset);
  }

  return {
    record(record) {
      if (record.inFlight) return;
      if (!apart && claims.closed) {
        finish();
        apart = true;
      }
      const start = record.eventFields[2 * EVENT.createdEventBlob]!;
      const end = record.eventFields[2 * EVENT.createdEventBlob + 1]!;
      const length = hashed(record, start, end);
      view.of(record);
      if (length === 0) {
        tellUnusual(-1);
        return;
      }
      let slot = -1;
      if (apart) claims.passBy(result);
      else {
        slot = claims.show(result, input, false);
        if (slot === SHOWN) return;
        if (slot === UNCLAIMED) slot = -1;
      }
      // What is dropped has to be sound, too.
      if (view.blob.contractIdStart !== idStart) {
        tellUnusual(slot);
        return;
      }
      if (slot >= 0 && droppable !== undefined) {
        if (resting === 0) {
          keep(record, slot, length);
          return;
        }
        resting--;
      }
      fillRow(builder, view, input);
      tell(slot, record.index, record.offset);
    },
    finish,
    get dropped() {
      return dropped;
    },
    get apart() {
      return apart;
    },
  };
}

function newPage(start: number, capacity: number): Page {
  return {
    start,
    rows: 0,
    addresses: new Int32Array(capacity),
    slots: new Int32Array(capacity),
    indices: new Float64Array(capacity),
    offsets: new Float64Array(capacity),
  };
}
