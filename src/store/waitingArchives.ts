/**
 * Archives of known contracts that wait until their batch is committed, or something has to be told or asks what is
 * active. Then they are sorted by contract: intervals closed in the order in which they are stored cost half as much as in
 * the order of the stream. Only the archive of a contract that can be no other waits, and what does not fit is handed
 * back in the order of the stream, so that the store holds what it would hold had none waited.
 */
import { locateMessage } from '../ledger/ledgerStream.js';
import type { StoreInterner } from './intern.js';
import { KIND } from './ledgerState.js';
import type { Db } from './open.js';
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

/** As many can wait; contract and place among them make one number to sort by. */
export const MOST_WAITING = 1 << 16;
const ID_BYTES = 64;

export function waitingArchives(
  db: Db,
  rows: StoreRows,
  source: number,
  intern: StoreInterner,
): WaitingArchives {
  const wanted = (columns: number): string =>
    Array(ROWS_PER_STATEMENT)
      .fill(`(${Array(columns).fill('?').join(', ')})`)
      .join(', ');
  // VALUES is the outer loop, so the templates come in its order.
  const fitting = (values: string): string =>
    `SELECT group_concat(coalesce(c.template_pk, 0), ' ')
     FROM (VALUES ${values}) wanted CROSS JOIN contract c ON c.contract_pk = wanted.column1 WHERE c.contract_id = wanted.column2`;
  const closing = (values: string): string =>
    `UPDATE activation SET deact_off = wanted.column2, deact_event = wanted.column3, deact_kind = ${KIND.archive} FROM (VALUES ${values}) wanted
     WHERE contract_pk = wanted.column1 AND source_pk = ${source} AND sync_pk = wanted.column4 AND deact_off IS NULL`;
  const fitMany = db.prepare(fitting(wanted(2))).pluck();
  const fitOne = db.prepare(fitting('(?, ?)')).pluck();
  const closeMany = db.prepare(closing(wanted(4)));
  const isClosedBy = db
    .prepare(
      `SELECT 1 FROM activation WHERE contract_pk = ? AND source_pk = ${source} AND deact_event = ? LIMIT 1`,
    )
    .pluck();
  const closeOne = db.prepare(closing('(?, ?, ?, ?)'));
  let numbers = new Float64Array(0);
  let ids: Buffer = Buffer.alloc(0);
  let idsUsed = 0;
  let size = 0;
  let index = 0;
  let place = 0;
  /** Of the archives of one statement. */
  const toFit: unknown[] = Array(2 * ROWS_PER_STATEMENT);
  const toClose: unknown[] = Array(4 * ROWS_PER_STATEMENT);

  const idOf = (at: number): Buffer => ids.subarray(numbers[at + FIELD.idStart], numbers[at + FIELD.idEnd]);
  /** Nothing is to be said about the template its contract was created under. */
  const templateFits = (at: number, created: number): boolean => {
    const template = numbers[at + FIELD.template];
    if (created === 0 || template < 0 || template === created) return true;
    const a = intern.templateRow(created);
    const b = intern.templateRow(template);
    return a.entityName === b.entityName && a.moduleName === b.moduleName && a.packageId === b.packageId;
  };

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
  function sorted(): Float64Array {
    const keys = new Float64Array(size);
    for (let i = 0; i < size; i++) keys[i] = numbers[i * WIDTH + FIELD.contract] * MOST_WAITING + i;
    keys.sort();
    for (let i = 0; i < size; i++) keys[i] = (keys[i] % MOST_WAITING) * WIDTH;
    return keys;
  }

  /** Those of `group` that are of another contract, or name another template, are moved to `late`. */
  function keepFitting(group: number[], late: number[]): void {
    let templates: (string | null)[] = [];
    if (group.length === ROWS_PER_STATEMENT) {
      for (let i = 0, k = 0; i < group.length; i++) {
        toFit[k++] = numbers[group[i] + FIELD.contract];
        toFit[k++] = idOf(group[i]);
      }
      templates = (fitMany.get(toFit) as string | null)?.split(' ') ?? [];
    }
    if (templates.length < group.length)
      templates = group.map((at) => fitOne.get(numbers[at + FIELD.contract], idOf(at)) as string | null);
    let kept = 0;
    for (let i = 0; i < group.length; i++) {
      const created = templates[i];
      if (created !== null && templateFits(group[i], Number(created))) group[kept++] = group[i];
      else late.push(group[i]);
    }
    group.length = kept;
  }

  /** Those of `group` that have nothing to close are moved to `late`. */
  function close(group: number[], late: number[]): void {
    if (group.length < ROWS_PER_STATEMENT) {
      for (const at of group) {
        const { changes } = closeOne.run(
          numbers[at + FIELD.contract],
          numbers[at + FIELD.off],
          numbers[at + FIELD.eventPk],
          numbers[at + FIELD.sync],
        );
        if (changes === 0) late.push(at);
      }
      return;
    }
    for (let i = 0, k = 0; i < group.length; i++) {
      toClose[k++] = numbers[group[i] + FIELD.contract];
      toClose[k++] = numbers[group[i] + FIELD.off];
      toClose[k++] = numbers[group[i] + FIELD.eventPk];
      toClose[k++] = numbers[group[i] + FIELD.sync];
    }
    if (closeMany.run(toClose).changes === group.length) return;
    for (const at of group)
      if (isClosedBy.get(numbers[at + FIELD.contract], numbers[at + FIELD.eventPk]) === undefined)
        late.push(at);
  }

  /** Closes what can be closed at once; returns the places of the others, in the order in which they were added. */
  function closeAll(): number[] {
    const late: number[] = [];
    let group: number[] = [];
    let contract = 0;
    const take = (): void => {
      keepFitting(group, late);
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
