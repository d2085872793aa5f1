/**
 * The row numbers of contracts, made so that the contracts of one stakeholder set lie side by side: a question about a
 * party then reads few pages. A number is made of the window in which a contract arrived (65 536 contracts make one), its
 * stakeholder set, and its place in the window; so it depends on nothing but the order of arrival, whenever batches are
 * committed.
 *
 * Contracts that arrived before schema version 3 keep the numbers they have, all below {@link FIRST_NUMBER}. Nothing but
 * the number of a blob ({@link blobNumber}) is read from a number: a contract whose set became known after it was numbered
 * merely lies elsewhere.
 */
import type { Db } from './open.js';

/** Contracts per window. */
export const WINDOW = 1 << 16;
/** Stakeholder sets beyond so many share their places with others. */
const SETS = 1 << 14;
/** From one window to the next. */
const STRIDE = WINDOW * SETS;
/** Of a contract that is numbered by arrival alone. */
const NO_PLACE = SETS;
/** The smallest number given today: the first of a window. */
export const FIRST_NUMBER = 2 ** 32;

/** The number of the contract that arrives as `arrival`, with the stakeholder set `set` if it is known. */
export function contractNumber(arrival: number, set: number | null): number {
  return numberAt(arrival, (set ?? 0) & (SETS - 1));
}

/** The same with what {@link setPlace} gives; `arrival` is the number of its blob. */
export function numberAt(arrival: number, setPlace: number): number {
  if (setPlace === NO_PLACE) return arrival;
  const window = Math.floor(arrival / WINDOW);
  return window * STRIDE + setPlace * WINDOW + (arrival - window * WINDOW);
}

/** The row number of a contract's blob. Blobs are stored as they arrive: they are large, and read in that order. */
export function blobNumber(contract: number): number {
  if (contract < FIRST_NUMBER) return contract;
  const place = contract - Math.floor(contract / WINDOW) * WINDOW;
  return Math.floor(contract / STRIDE) * WINDOW + place;
}

/** 16 bits: where in its window the contract lies. */
export function setPlace(contract: number): number {
  if (contract < FIRST_NUMBER) return NO_PLACE;
  const range = Math.floor(contract / WINDOW);
  return range - Math.floor(range / SETS) * SETS;
}

/** {@link blobNumber} as SQL. */
export function blobNumberSql(contract: string): string {
  return `iif(${contract} < ${FIRST_NUMBER}, ${contract}, (${contract} / ${STRIDE}) * ${WINDOW} + ${contract} % ${WINDOW})`;
}

/** The arrival that comes after those of all contracts in the store. */
export function nextArrival(db: Db): number {
  const last = (db.prepare('SELECT max(contract_pk) FROM contract').pluck().get() as number | null) ?? 0;
  if (last < FIRST_NUMBER) return Math.max(FIRST_NUMBER / SETS, WINDOW * Math.ceil((last + 1) / WINDOW));
  const window = Math.floor(last / STRIDE);
  const place = db
    .prepare(`SELECT max(contract_pk % ${WINDOW}) FROM contract WHERE contract_pk >= ?`)
    .pluck()
    .get(window * STRIDE) as number;
  return window * WINDOW + place + 1;
}
