/**
 * Turns the records of a file into rows while other threads read the other inputs: rows that another thread has are not
 * made, and of its own this one makes only what is not shown by all the others soon after. Whatever happens, every row
 * that differs somewhere is made by one thread at least (see claims.ts for why).
 */
import { BlobView } from '../contract/blob.js';
import { ContractView } from '../contract/contractView.js';
import type { RecordView } from '../snapshot/record.js';
import { type Claims, HASH_WORDS, SHOWN, UNCLAIMED } from './claims.js';
import { MAX_ID_BYTES, type RowBuilder } from './fingerprint.js';
import { HASH_ROOM, type KeyedHash, MAX_HASHED_BYTES, MESSAGE_START } from './keyedHash.js';
import {
  fillFromMessage,
  messageBlob,
  messageBytes,
  parseMessage,
  usualId,
  writeMessage,
} from './rowMessage.js';
import { fillRow } from './rowSink.js';

/** Rows that wait to be shown by the others: two pages, of which the older one is settled when the younger one is full. */
const PAGE_BYTES = 4 << 20;
const PAGE_ROWS = 1 << 14;
/** Behind the pages is room for a contract id. */
const ID_START = MESSAGE_START + 2 * (PAGE_BYTES + HASH_ROOM);
/** Memory {@link openClaimingSink} wants for messages. */
export const CLAIMING_BYTES = 2 * (PAGE_BYTES + HASH_ROOM) + MAX_ID_BYTES + HASH_ROOM;
/** After a page of which most rows had to be told after all, the rows of so many are told at once before it is tried again. */
const REST_PAGES = 2;
/** Of the waiting rows one in so many is asked for when it comes to waiting for other threads. */
const SAMPLE = 16;

/** So many rows are claimed at once: what is cold of the claims is fetched for all of them together. */
const BATCH = 16;
export interface ClaimingSink {
  record(view: RecordView): void;
  /** Says how far the input is read; see {@link Claims.advance}. */
  advance(progress: number): void;
  /**
   * True when rows that wait would soon have to be told only because other inputs are not read as far: then time is better
   * spent on those.
   */
  readonly early: boolean;
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
  inputs: number;
  /** All inputs, one bit each, when what they all show alike may be dropped. */
  droppable: number | undefined;
  /** How many rows may wait in a page; default {@link PAGE_ROWS}. */
  pageRows?: number;
  /** Takes the row in the builder. `slot` is that of its claim, or -1; index and offset are those of its record. */
  tell: (slot: number, index: number, offset: number) => void;
}

interface Page {
  readonly start: number;
  /** Rows that wait in it. */
  rows: number;
  /** How far the input was read when the last row came in. */
  progress: number;
  /** Per row where its message is, the slot of its claim, number and offset of its record. */
  readonly addresses: Int32Array;
  readonly slots: Int32Array;
  readonly indices: Float64Array;
  readonly offsets: Float64Array;
}

export function openClaimingSink(options: ClaimingSinkOptions): ClaimingSink {
  const { builder, hash, claims, input, inputs, droppable, tell, pageRows = PAGE_ROWS } = options;
  const { bytes, result } = hash;
  const view = new ContractView();
  const blob = new BlobView();
  let page = newPage(MESSAGE_START, pageRows);
  let older = newPage(MESSAGE_START + PAGE_BYTES + HASH_ROOM, pageRows);
  /** Where the next message goes. */
  let next = page.start;
  /** The rows of the page from here on are not claimed yet; their hashes, and where in their blobs the id is. */
  let unasked = 0;
  const hashes = new Int32Array(BATCH * HASH_WORDS);
  const ids = new Int32Array(BATCH);
  /** Rows to be told at once. */
  let resting = 0;
  let dropped = 0;
  let apart = false;
  let progress = 0;

  /** Claims the rows at the end of the page. Those that another thread has leave it, and those that cannot wait. */
  function ask(): void {
    const first = unasked;
    const end = page.rows;
    if (first === end) return;
    const { addresses, slots, indices, offsets } = page;
    claims.approach(hashes, end - first);
    let kept = first;
    for (let row = first; row < end; row++) {
      const hashAt = (row - first) * HASH_WORDS;
      let slot = UNCLAIMED;
      if (apart) claims.passBy(hashes, hashAt);
      else slot = claims.show(hashes, hashAt, input, false);
      if (slot === SHOWN) continue;
      const at = addresses[row]!;
      // What is dropped has to be sound, too.
      parseMessage(blob, hash, at);
      const usual = blob.contractIdStart === messageBlob(at) + ids[row - first]!;
      if (usual && slot >= 0 && droppable !== undefined && resting === 0) {
        addresses[kept] = at;
        slots[kept] = slot;
        indices[kept] = indices[row]!;
        offsets[kept] = offsets[row]!;
        kept++;
        continue;
      }
      if (resting > 0) resting--;
      fillFromMessage(builder, input, blob, hash, at);
      if (!usual) showUnusual();
      tell(slot >= 0 ? slot : -1, indices[row]!, offsets[row]!);
    }
    if (kept === first) next = addresses[first]!;
    else page.progress = progress;
    page.rows = kept;
    unasked = kept;
  }

  /** Settles the older page and goes on in it. */
  function turn(): void {
    const before = dropped;
    settle(older);
    if (2 * (dropped - before) < older.rows) resting = REST_PAGES * older.rows;
    const younger = page;
    page = older;
    older = younger;
    page.rows = 0;
    unasked = 0;
    next = page.start;
  }

  /** Drops the rows of a page, or tells them. */
  function settle({ rows, slots, addresses, indices, offsets }: Page): void {
    for (let row = 0; row < rows; row++) {
      if (row % BATCH === 0) claims.approachSlots(slots, row, Math.min(rows, row + BATCH));
      const slot = slots[row]!;
      if (droppable !== undefined && claims.drop(slot, droppable)) {
        dropped++;
        continue;
      }
      const at = addresses[row]!;
      fillFromMessage(builder, input, parseMessage(blob, hash, at), hash, at);
      tell(slot, indices[row]!, offsets[row]!);
    }
  }

  function finish(): void {
    ask();
    settle(older);
    settle(page);
    older.rows = 0;
    page.rows = 0;
    unasked = 0;
    next = page.start;
  }

  /**
   * Shows that there is a row of the contract in the builder, whose id the claims cannot know from the hash of the row:
   * the blob is written in another way than usual, or it is too long.
   */
  function showUnusual(): void {
    const id = builder.idBytes;
    bytes.set(id, ID_START);
    hash.hash(ID_START + MAX_ID_BYTES, 0, ID_START, id.length);
    if (apart) claims.passBy(result, 0);
    else claims.show(result, 0, input, true);
  }

  function makeRoom(length: number): void {
    if (next + length <= page.start + PAGE_BYTES && page.rows < pageRows) return;
    ask();
    if (next + length > page.start + PAGE_BYTES || page.rows === pageRows) turn();
  }

  return {
    record(record) {
      if (record.inFlight) return;
      if (!apart && claims.closed) {
        finish();
        apart = true;
      }
      const id = usualId(record);
      const length = id < 0 ? 0 : messageBytes(record);
      if (id < 0 || length > MAX_HASHED_BYTES) {
        fillRow(builder, view.of(record), input);
        showUnusual();
        tell(-1, record.index, record.offset);
        return;
      }
      makeRoom(length);
      writeMessage(record, hash, next);
      const idAt = messageBlob(next) + id;
      hash.hash(next, length, idAt, bytes[idAt - 1]!);
      const row = page.rows++;
      page.addresses[row] = next;
      page.indices[row] = record.index;
      page.offsets[row] = record.offset;
      ids[row - unasked] = id;
      hashes.set(result, (row - unasked) * HASH_WORDS);
      next += length;
      if (page.rows - unasked === BATCH) ask();
    },
    advance(to) {
      progress = to;
      claims.advance(input, to);
    },
    get early() {
      const full = 4 * (next - page.start) > 3 * PAGE_BYTES || 4 * page.rows > 3 * pageRows;
      if (!full || droppable === undefined || !claims.behind(older.progress, inputs)) return false;
      let asked = 0;
      let everywhere = 0;
      for (let i = 0; i < older.rows; i += SAMPLE, asked++)
        if (claims.inputsOf(older.slots[i]!) === droppable) everywhere++;
      return 4 * everywhere < 3 * asked;
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
    progress: 0,
    addresses: new Int32Array(capacity),
    slots: new Int32Array(capacity),
    indices: new Float64Array(capacity),
    offsets: new Float64Array(capacity),
  };
}
