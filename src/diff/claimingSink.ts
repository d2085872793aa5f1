/**
 * Turns the records of a file into rows while other threads read the other inputs: rows that another thread has are not
 * made, and its own ones wait until the others had time to show them, so that they are made for all of them at once, or
 * dropped where every input shows them. Every row is made by one thread at least, with the inputs it knows of: what
 * threads have made twice is joined like rows read one after the other.
 */
import { BlobView } from '../contract/blob.js';
import { ContractView } from '../contract/contractView.js';
import type { RecordView } from '../snapshot/record.js';
import { type Claims, HASH_WORDS, SHOWN } from './claims.js';
import type { IdLog } from './idLog.js';
import { HASH_ROOM, type KeyedHash, MAX_HASHED_BYTES, MESSAGE_START } from './keyedHash.js';
import { MAX_ID_BYTES } from './row.js';
import type { RowBuilder } from './rowBuilder.js';
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
const PAGE_ROWS = 1 << 13;
/** Behind the pages is room for a contract id. */
const ID_START = MESSAGE_START + 2 * (PAGE_BYTES + HASH_ROOM);
/** Memory {@link openClaimingSink} wants for messages. */
export const CLAIMING_BYTES = 2 * (PAGE_BYTES + HASH_ROOM) + MAX_ID_BYTES + HASH_ROOM;
/** After a page of which hardly a row was shown by others the rows of so many are told at once before it is tried again. */
const REST_PAGES = 2;
/** So many rows are claimed at once: what is cold of the claims is fetched for all of them together. */
const BATCH = 16;
/** Of the waiting rows one in so many is asked for when it comes to waiting for other threads. */
const SAMPLE = 16;

export interface ClaimingSink {
  record(view: RecordView): void;
  /** Says how far the input is read; see {@link Claims.advance}. */
  advance(progress: number): void;
  /**
   * True when rows that wait would soon have to be told only because other inputs are not read as far: then time is better
   * spent on those.
   */
  readonly early: boolean;
  /** Settles the rows that wait. */
  finish(): void;
  /** Rows dropped so far. */
  readonly dropped: number;
}

export interface ClaimingSinkOptions {
  builder: RowBuilder;
  hash: KeyedHash;
  claims: Claims;
  input: number;
  inputs: number;
  /** When what every input shows alike may be dropped: takes the contracts of all rows told or dropped. */
  ids: IdLog | undefined;
  /** How many rows may wait in a page; default {@link PAGE_ROWS}. */
  pageRows?: number;
  /** Takes the row in the builder; index and offset are those of its record. */
  tell: (index: number, offset: number) => void;
}

interface Page {
  readonly start: number;
  /** Rows that wait in it. */
  rows: number;
  /** How far the input was read when the last row came in. */
  progress: number;
  /** Per row where its message is, the slot of its claim, the hash of its contract, number and offset of its record. */
  readonly addresses: Int32Array;
  readonly slots: Int32Array;
  readonly ids: Int32Array;
  readonly indices: Float64Array;
  readonly offsets: Float64Array;
}

export function openClaimingSink(options: ClaimingSinkOptions): ClaimingSink {
  const { builder, hash, claims, input, inputs, ids, tell, pageRows = PAGE_ROWS } = options;
  const { bytes, result } = hash;
  const all = 2 ** inputs - 1;
  const own = 1 << input;
  const view = new ContractView();
  const blob = new BlobView();
  let page = newPage(MESSAGE_START, pageRows);
  let older = newPage(MESSAGE_START + PAGE_BYTES + HASH_ROOM, pageRows);
  /** Where the next message goes. */
  let next = page.start;
  /** The rows of the page from here on are not claimed yet; their hashes, and where in their blobs the id is. */
  let unasked = 0;
  const hashes = new Int32Array(BATCH * HASH_WORDS);
  const idsInBlobs = new Int32Array(BATCH);
  /** Rows to be told at once. */
  let resting = 0;
  let dropped = 0;
  let progress = 0;

  /** Claims the rows at the end of the page. Those that another thread has leave it, and those that cannot wait. */
  function ask(): void {
    const first = unasked;
    const end = page.rows;
    if (first === end) return;
    const { addresses, slots, ids: contracts, indices, offsets } = page;
    claims.approach(hashes, end - first);
    let kept = first;
    for (let row = first; row < end; row++) {
      const hashAt = (row - first) * HASH_WORDS;
      const slot = claims.show(hashes, hashAt, input, resting === 0);
      if (slot === SHOWN) continue;
      const at = addresses[row]!;
      // What is dropped has to be sound, too.
      parseMessage(blob, hash, at);
      const usual = blob.contractIdStart === messageBlob(at) + idsInBlobs[row - first]!;
      if (usual && slot >= 0) {
        addresses[kept] = at;
        slots[kept] = slot;
        contracts[2 * kept] = hashes[hashAt]!;
        contracts[2 * kept + 1] = hashes[hashAt + 1]!;
        indices[kept] = indices[row]!;
        offsets[kept] = offsets[row]!;
        kept++;
        continue;
      }
      if (resting > 0) resting--;
      const shownBy = slot >= 0 ? claims.release(slot) : own;
      fillFromMessage(builder, shownBy, blob, hash, at);
      if (usual) {
        ids?.note(hashes[hashAt]!, hashes[hashAt + 1]!, false);
        tell(indices[row]!, offsets[row]!);
      } else tellUnusual(indices[row]!, offsets[row]!);
    }
    if (kept === first) next = addresses[first]!;
    else page.progress = progress;
    page.rows = kept;
    unasked = kept;
  }

  /** Settles the older page and goes on in it. */
  function turn(): void {
    const shared = settle(older);
    if (2 * shared < older.rows) resting = REST_PAGES * older.rows;
    const younger = page;
    page = older;
    older = younger;
    page.rows = 0;
    unasked = 0;
    next = page.start;
  }

  /** Takes the claims of a page back; drops its rows or tells them. Gives how many of them others have shown, too. */
  function settle({ rows, slots, addresses, ids: contracts, indices, offsets }: Page): number {
    let shared = 0;
    for (let row = 0; row < rows; row++) {
      const shownBy = claims.release(slots[row]!);
      if (shownBy !== own) shared++;
      const drops = ids !== undefined && shownBy === all;
      ids?.note(contracts[2 * row]!, contracts[2 * row + 1]!, drops);
      if (drops) {
        dropped++;
        continue;
      }
      const at = addresses[row]!;
      fillFromMessage(builder, shownBy, parseMessage(blob, hash, at), hash, at);
      tell(indices[row]!, offsets[row]!);
    }
    return shared;
  }

  /**
   * Tells the row in the builder, whose contract cannot be known from its hash: its blob is written in another way than
   * usual, or it is too long.
   */
  function tellUnusual(index: number, offset: number): void {
    if (ids !== undefined) {
      const id = builder.idBytes;
      bytes.set(id, ID_START);
      hash.hash(ID_START + MAX_ID_BYTES, 0, ID_START, id.length);
      ids.note(result[0]!, result[1]!, false);
    }
    tell(index, offset);
  }

  function makeRoom(length: number): void {
    if (next + length <= page.start + PAGE_BYTES && page.rows < pageRows) return;
    ask();
    if (next + length > page.start + PAGE_BYTES || page.rows === pageRows) turn();
  }

  return {
    record(record) {
      if (record.inFlight) return;
      const { index, offset } = record;
      const id = usualId(record);
      const length = id < 0 ? 0 : messageBytes(record);
      if (id < 0 || length > MAX_HASHED_BYTES) {
        fillRow(builder, view.of(record), input);
        tellUnusual(index, offset);
        return;
      }
      makeRoom(length);
      writeMessage(record, hash, next);
      const idAt = messageBlob(next) + id;
      hash.hash(next, length, idAt, bytes[idAt - 1]!);
      const row = page.rows++;
      page.addresses[row] = next;
      page.indices[row] = index;
      page.offsets[row] = offset;
      idsInBlobs[row - unasked] = id;
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
      if (!full || !claims.behind(older.progress, inputs)) return false;
      let asked = 0;
      let everywhere = 0;
      for (let i = 0; i < older.rows; i += SAMPLE, asked++)
        if (claims.inputsOf(older.slots[i]!) === all) everywhere++;
      return 4 * everywhere < 3 * asked;
    },
    finish() {
      ask();
      settle(older);
      settle(page);
      older.rows = 0;
      page.rows = 0;
      unasked = 0;
      next = page.start;
    },
    get dropped() {
      return dropped;
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
    ids: new Int32Array(2 * capacity),
    indices: new Float64Array(capacity),
    offsets: new Float64Array(capacity),
  };
}
