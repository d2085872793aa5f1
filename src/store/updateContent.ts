/** What the store derives from an update as a whole. */
import { createHash } from 'node:crypto';
import { fingerprint } from '../contract/idTable.js';
import type { LedgerUpdate } from '../ledger/updates.js';
import { idBytes } from './idBytes.js';
import { idHash } from './idHash.js';

export const ORIGIN = { sequenced: 0, import: 1, purge: 2, repair: 3 } as const;

/** What the store keeps about an update beside its events. */
export interface UpdateFacts {
  /** Raw update id. */
  id: Buffer;
  /** See {@link idHash}. */
  hash: number;
  /** One of {@link ORIGIN}. */
  origin: number;
  /** See {@link contentOf}. */
  content: number;
}

export function factsOf(buf: Buffer, update: LedgerUpdate): UpdateFacts {
  const id = idBytes(update.updateId);
  return { id, hash: idHash(id), origin: originOf(update), content: contentOf(buf, update) };
}

/** A guess from the form of an update; never used for state (ledger-semantics spec, section 2.3). */
export function originOf(update: LedgerUpdate): number {
  if (update.workflowId.startsWith('import-')) return ORIGIN.import;
  const { recordTime, effectiveAt } = update;
  if (recordTime !== undefined && effectiveAt !== undefined && recordTime - effectiveAt > TIME_TOLERANCE)
    return ORIGIN.import;
  if (update.kind === 'reassignment') {
    const submitter = update.events[0]?.reassignment?.submitter;
    return submitter === '' ? ORIGIN.repair : ORIGIN.sequenced;
  }
  if (
    update.kind === 'transaction' &&
    update.commandId === '' &&
    update.events.length > 0 &&
    update.effectiveAt === update.recordTime &&
    update.events.every((e) => e.kind === 'archive')
  )
    return ORIGIN.purge;
  return ORIGIN.sequenced;
}

/** How far record time and ledger time of a sequenced transaction may lie apart: Canton's default, in µs. */
const TIME_TOLERANCE = 60_000_000n;

const KIND_NUMBER = { create: 1, archive: 2, assign: 3, unassign: 4 } as const;

/** 48 bits over what an update changes: the same for every shape and verbosity of the stream. */
export function contentOf(buf: Buffer, update: LedgerUpdate): number {
  let a = 0x811c9dc5 ^ update.events.length;
  let b = 0x01000193;
  for (const event of update.events) {
    const [high, low] = fingerprint(buf, event.idStart, event.idEnd);
    const counter = Number(BigInt.asUintN(31, event.reassignment?.counter ?? 0n));
    a = Math.imul(a ^ high, 0x85ebca6b) ^ (counter * 8 + KIND_NUMBER[event.kind]);
    a ^= a >>> 15;
    b = Math.imul(b ^ low, 0xc2b2ae35);
    b ^= b >>> 13;
  }
  for (const auth of update.authorizations) {
    const bytes = Buffer.from(`${auth.kind} ${auth.party} ${auth.participant} ${auth.permission}`);
    const [high, low] = fingerprint(bytes, 0, bytes.length);
    a = Math.imul(a ^ high, 0x85ebca6b);
    b = Math.imul(b ^ low, 0xc2b2ae35);
  }
  return (a >>> 0) * 65536 + ((b >>> 8) & 0xffff);
}

/** The id a participant gives to a batch of unassignments. Counters are those after the increment; time in µs. */
export function reassignmentId(
  source: string,
  target: string,
  recordTime: bigint,
  contracts: readonly { id: string; counter: bigint }[],
): string {
  const digest = createHash('sha256');
  const int32 = (n: number): void => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(n);
    digest.update(bytes);
  };
  const int64 = (n: bigint): void => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(BigInt.asIntN(64, n));
    digest.update(bytes);
  };
  const text = (s: string): void => {
    const bytes = Buffer.from(s);
    int32(bytes.length);
    digest.update(bytes);
  };
  int32(57);
  text(source);
  text(target);
  int64(recordTime);
  for (const { id, counter } of [...contracts].sort((x, y) => (x.id < y.id ? -1 : 1))) {
    text(id);
    int64(counter);
  }
  return `001220${digest.digest('hex')}`;
}
