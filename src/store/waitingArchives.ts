/**
 * Archives of known contracts that wait until their batch is committed, or something has to be told or asks what is
 * active. Then they are sorted by contract: intervals closed in the order in which they are stored cost half as much as in
 * the order of the stream. Only the archive of a contract that can be no other waits, and what does not fit is handed
 * back in the order of the stream, so that the store holds what it would hold had none waited.
 */
import { locateMessage } from '../ledger/ledgerStream.js';
import type { StoreInterner } from './intern.js';
import { keyOrder } from './keyOrder.js';
import { KIND } from './ledgerState.js';
import type { Db } from './open.js';
import { rowsSql } from './rowsSql.js';
import { ROWS_PER_STATEMENT, type StoreRows } from './storeRows.js';

/** An archive whose event row was appended. */
export interface WaitingArchive {
  /** The only one its id can be that of. */
  contract: number;
  /** Raw, and its hash. */
  id: Buffer;
  hash: number;
  /** Row number; null: none was named. */
  template: number | null;
  sync: number;
  eventPk: number;
  off: bigint;
}

export interface WaitingArchives {
  /** One more; `buf[idStart, idEnd)` is copied. At {@link MOST_WAITING} they have to be settled first. */
  add(
    contract: number,
    buf: Buffer,
    idStart: number,
    idEnd: number,
    hash: number,
    template: number | null,
    sync: number,
    eventPk: number,
    off: bigint,
  ): void;
  /** Where the archives that follow were read, see {@link locateMessage}. */
  readAt(index: number, place: number): void;
  /**
   * Closes the intervals of all. `takeLate` gets those that have none to close, or another template, in the order in which
   * they were added; what it throws is located.
   */
  settle(takeLate: (archive: WaitingArchive) => void): void;
  readonly size: number;
}

/** Numbers per archive. */
const FIELD = {
  contract: 0,
  idStart: 1,
  idEnd: 2,
  hash: 3,
  /** -1: null. */
  template: 4,
  sync: 5,
  eventPk: 6,
  off: 7,
  index: 8,
  place: 9,
} as const;
const WIDTH = 10;
/** Values per archive in the statement that closes intervals. */
const CLOSING = 6;

/** As many can wait. */
export const MOST_WAITING = 1 << 16;
const ID_BYTES = 64;

export function waitingArchives(
  db: Db,
  rows: StoreRows,
  source: number,
  intern: StoreInterner,
): WaitingArchives {
  // Nothing is closed where the contract is another one, or was created under another template.
  const closing = (archives: number): string =>
    `UPDATE activation SET deact_off = wanted.column2, deact_event = wanted.column3, deact_kind = ${KIND.archive} FROM (VALUES ${rowsSql(CLOSING, archives)}) wanted
     WHERE contract_pk = wanted.column1 AND source_pk = ${source} AND sync_pk = wanted.column4 AND deact_off IS NULL
       AND EXISTS (SELECT 1 FROM contract c WHERE c.contract_pk = wanted.column1 AND c.contract_id = wanted.column5
         AND (c.template_pk = wanted.column6 OR c.template_pk IS NULL OR wanted.column6 IS NULL))`;
  const closeMany = db.prepare(closing(ROWS_PER_STATEMENT));
  const closeOne = db.prepare(closing(1));
  const createdUnder = db
    .prepare('SELECT template_pk FROM contract WHERE contract_pk = ? AND contract_id = ?')
    .pluck();
  /** By the template of an archive: the one its contract was created under, where that is another row of the same. */
  const createdAs = new Map<number, number>();
  const isClosedBy = db
    .prepare(
      `SELECT 1 FROM activation WHERE contract_pk = ? AND source_pk = ${source} AND deact_event = ? LIMIT 1`,
    )
    .pluck();
  let numbers = new Float64Array(0);
  let ids: Buffer = Buffer.alloc(0);
  let idsUsed = 0;
  let size = 0;
  let index = 0;
  let place = 0;
  /** Of the archives of one statement. */
  const toClose: unknown[] = Array(CLOSING * ROWS_PER_STATEMENT).fill(null);

  const idOf = (at: number): Buffer => ids.subarray(numbers[at + FIELD.idStart], numbers[at + FIELD.idEnd]);

  function reserve(idBytes: number): void {
    if (numbers.length === size * WIDTH) {
      const grown = new Float64Array(Math.max(1024 * WIDTH, 2 * numbers.length));
      grown.set(numbers);
      numbers = grown;
    }
    if (idsUsed + idBytes <= ids.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(1024 * ID_BYTES, 2 * ids.length, idsUsed + idBytes));
    grown.set(ids.subarray(0, idsUsed));
    ids = grown;
  }

  /** The places of the archives, by contract and, for one contract, by age. */
  function sorted(): Uint32Array {
    const contracts = new Float64Array(size);
    for (let i = 0; i < size; i++) contracts[i] = numbers[i * WIDTH + FIELD.contract];
    const order = keyOrder(contracts);
    for (let i = 0; i < size; i++) order[i] *= WIDTH;
    return order;
  }

  /** Nothing is to be said about the template its contract was created under. */
  function templateFits(at: number, created: number): boolean {
    const template = numbers[at + FIELD.template];
    if (template < 0 || template === created) return true;
    const a = intern.templateRow(created);
    const b = intern.templateRow(template);
    return a.entityName === b.entityName && a.moduleName === b.moduleName && a.packageId === b.packageId;
  }

  /** Puts the values for closing the archive at `at` from `to` on. */
  function bind(at: number, to: number): void {
    const template = numbers[at + FIELD.template];
    toClose[to] = numbers[at + FIELD.contract];
    toClose[to + 1] = numbers[at + FIELD.off];
    toClose[to + 2] = numbers[at + FIELD.eventPk];
    toClose[to + 3] = numbers[at + FIELD.sync];
    toClose[to + 4] = idOf(at);
    toClose[to + 5] = template < 0 ? null : (createdAs.get(template) ?? template);
  }

  function closesOne(at: number): boolean {
    bind(at, 0);
    return closeOne.run(...toClose.slice(0, CLOSING)).changes > 0;
  }

  /** Closes the interval of an archive, if it has one and fits. */
  function isClosed(at: number): boolean {
    if (closesOne(at)) return true;
    const created = createdUnder.get(numbers[at + FIELD.contract], idOf(at)) as number | null | undefined;
    if (typeof created !== 'number' || !templateFits(at, created)) return false;
    createdAs.set(numbers[at + FIELD.template], created);
    return closesOne(at);
  }

  /** Those of `group` that have nothing to close, or do not fit, are moved to `late`. */
  function close(group: number[], late: number[]): void {
    const together = group.length === ROWS_PER_STATEMENT;
    if (together) {
      for (let i = 0; i < group.length; i++) bind(group[i], i * CLOSING);
      if (closeMany.run(...toClose).changes === group.length) return;
    }
    for (const at of group) {
      const { contract, eventPk } = FIELD;
      const done = together && isClosedBy.get(numbers[at + contract], numbers[at + eventPk]) !== undefined;
      if (!done && !isClosed(at)) late.push(at);
    }
  }

  /** Closes what can be closed at once; returns the places of the others, in the order in which they were added. */
  function closeAll(): number[] {
    const late: number[] = [];
    let group: number[] = [];
    let contract = 0;
    const take = (): void => {
      close(group, late);
      group = [];
    };
    for (const at of sorted()) {
      // Another archive of the same contract waits for what becomes of the first.
      if (numbers[at + FIELD.contract] === contract) {
        late.push(at);
        continue;
      }
      contract = numbers[at + FIELD.contract];
      group.push(at);
      if (group.length === ROWS_PER_STATEMENT) take();
    }
    take();
    return late.sort((a, b) => a - b);
  }

  return {
    get size() {
      return size;
    },
    readAt(itsIndex, itsPlace) {
      index = itsIndex;
      place = itsPlace;
    },
    add(contract, buf, idStart, idEnd, hash, template, sync, eventPk, off) {
      reserve(idEnd - idStart);
      const at = size++ * WIDTH;
      ids.set(buf.subarray(idStart, idEnd), idsUsed);
      numbers[at + FIELD.contract] = contract;
      numbers[at + FIELD.idStart] = idsUsed;
      numbers[at + FIELD.idEnd] = idsUsed += idEnd - idStart;
      numbers[at + FIELD.hash] = hash;
      numbers[at + FIELD.template] = template ?? -1;
      numbers[at + FIELD.sync] = sync;
      numbers[at + FIELD.eventPk] = eventPk;
      numbers[at + FIELD.off] = Number(off);
      numbers[at + FIELD.index] = index;
      numbers[at + FIELD.place] = place;
    },
    settle(takeLate) {
      if (size === 0) return;
      rows.flushContracts();
      rows.activations.flush();
      const late = closeAll().map((at) => ({
        contract: numbers[at + FIELD.contract],
        id: Buffer.from(idOf(at)),
        hash: numbers[at + FIELD.hash],
        template: numbers[at + FIELD.template] < 0 ? null : numbers[at + FIELD.template],
        sync: numbers[at + FIELD.sync],
        eventPk: numbers[at + FIELD.eventPk],
        off: BigInt(numbers[at + FIELD.off]),
        index: numbers[at + FIELD.index],
        place: numbers[at + FIELD.place],
      }));
      // What is late tells what it has to tell: none waits any more then.
      size = 0;
      idsUsed = 0;
      for (const archive of late) {
        try {
          takeLate(archive);
        } catch (error) {
          throw locateMessage(error, archive.index, archive.place);
        }
      }
    },
  };
}
