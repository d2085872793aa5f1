/**
 * Where each contract was met first, compactly: 22 bytes per slot in open addressing, 31 to 46 bytes per contract
 * (4 million contracts: at most 185 MB). Contracts and contents are known by 64 bits each of SHA-256 with a salt drawn
 * per table, so collisions cannot be made on purpose. By chance two of 10 million contracts share an id fingerprint
 * once in 370 000 runs; that shows as a conflict, never as a silent loss, which would take 128 equal bits.
 */
import { hash, randomBytes } from 'node:crypto';
import type { ContractView } from '../contract/contractView.js';
import { AcsError } from '../io/error.js';
import type { RecordView } from '../snapshot/record.js';
import { EVENT } from '../snapshot/recordBorders.js';

const PARTS = 256;
const MAX_LOAD = 0.72;
const MAX_ORDINAL = 2 ** 32 - 1;

export type Meeting =
  /** Never met before. */
  | { kind: 'new' }
  /** The same contract, synchronizer and content. */
  | { kind: 'duplicate'; ordinal: number }
  /** The same contract on the same synchronizer, with another content. */
  | { kind: 'conflict'; ordinal: number }
  /** Known on another synchronizer only; remembered on this one too. */
  | { kind: 'other synchronizer'; ordinal: number };

export interface ContractPlaces {
  /** Looks a contract up and remembers it under `ordinal` (0 … 2^32-1) when it is new here. */
  meet(contract: ContractView, synchronizer: number, ordinal: number): Meeting;
  readonly size: number;
}

interface Part {
  keyHigh: Uint32Array;
  keyLow: Uint32Array;
  contentHigh: Uint32Array;
  contentLow: Uint32Array;
  ordinal: Uint32Array;
  /** Number of the synchronizer plus one; 0 in an empty slot. */
  synchronizer: Uint16Array;
  count: number;
}

function newPart(size: number): Part {
  return {
    keyHigh: new Uint32Array(size),
    keyLow: new Uint32Array(size),
    contentHigh: new Uint32Array(size),
    contentLow: new Uint32Array(size),
    ordinal: new Uint32Array(size),
    synchronizer: new Uint16Array(size),
    count: 0,
  };
}

const NEW: Meeting = { kind: 'new' };

/** `synchronizer` numbers passed to `meet` must stay below 65535. */
export function contractPlaces(): ContractPlaces {
  const salt = randomBytes(16);
  const parts: Part[] = Array.from({ length: PARTS }, () => newPart(16));
  let scratch: Buffer = Buffer.alloc(16 * 1024);
  let size = 0;

  function start(bytes: number): void {
    if (bytes + salt.length > scratch.length) scratch = Buffer.alloc((bytes + salt.length) * 2);
    salt.copy(scratch, 0);
  }

  function digestOfId(contract: ContractView): Buffer {
    if (!contract.hasBlob) {
      // The bytes that a blob would have, so that the contract is the same with a blob and without.
      const id = contract.record.contractId;
      const raw = Buffer.from(id, 'hex');
      const bytes = raw.length * 2 === id.length ? raw : Buffer.from(id);
      return digestOfBytes(bytes, 0, bytes.length);
    }
    const { buf, contractIdStart, contractIdEnd } = contract.blob;
    return digestOfBytes(buf, contractIdStart, contractIdEnd);
  }

  function digestOfBytes(buf: Buffer, from: number, to: number): Buffer {
    start(to - from);
    const end = salt.length + buf.copy(scratch, salt.length, from, to);
    return hash('sha256', scratch.subarray(0, end), 'buffer');
  }

  function digestOfContent(record: RecordView): Buffer {
    start(record.lapiEnd - record.lapiStart + 32);
    let at = salt.length;
    const add = (from: number, to: number): void => {
      const n = from < 0 ? 0 : to - from;
      at = scratch.writeUInt32BE(n, at);
      if (n > 0) at += record.buf.copy(scratch, at, from, to);
    };
    const fields = record.eventFields;
    const [blob, represented] = [2 * EVENT.createdEventBlob, 2 * EVENT.representativePackageId];
    if (fields[blob] >= 0) {
      add(fields[blob], fields[blob + 1]);
      add(fields[represented], fields[represented + 1]);
      at = scratch.writeBigUInt64BE(BigInt.asUintN(64, record.reassignmentCounter), at);
    } else add(record.lapiStart, record.lapiEnd);
    return hash('sha256', scratch.subarray(0, at), 'buffer');
  }

  function grow(index: number): Part {
    const old = parts[index];
    const part = newPart(Math.floor(old.keyHigh.length * 1.5) | 1);
    part.count = old.count;
    for (let i = 0; i < old.keyHigh.length; i++) {
      if (old.synchronizer[i] === 0) continue;
      let slot = old.keyLow[i] % part.keyHigh.length;
      while (part.synchronizer[slot] !== 0) if (++slot === part.keyHigh.length) slot = 0;
      part.keyHigh[slot] = old.keyHigh[i];
      part.keyLow[slot] = old.keyLow[i];
      part.contentHigh[slot] = old.contentHigh[i];
      part.contentLow[slot] = old.contentLow[i];
      part.ordinal[slot] = old.ordinal[i];
      part.synchronizer[slot] = old.synchronizer[i];
    }
    parts[index] = part;
    return part;
  }

  return {
    get size() {
      return size;
    },
    meet(contract, synchronizer, ordinal) {
      if (ordinal > MAX_ORDINAL || synchronizer > 65534) {
        throw new AcsError('MERGE_TOO_LARGE', 'more records or synchronizers than can be compared', {
          expected: 'at most 4 294 967 296 records and 65 535 synchronizers',
        });
      }
      const key = digestOfId(contract);
      const content = digestOfContent(contract.record);
      const keyHigh = key.readUInt32BE(0);
      const keyLow = key.readUInt32BE(4);
      const contentHigh = content.readUInt32BE(0);
      const contentLow = content.readUInt32BE(4);
      const index = keyHigh >>> 24;
      let part = parts[index];
      if (part.count + 1 > part.keyHigh.length * MAX_LOAD) part = grow(index);
      const slots = part.keyHigh.length;
      let elsewhere = -1;
      let slot = keyLow % slots;
      for (; part.synchronizer[slot] !== 0; slot = slot + 1 === slots ? 0 : slot + 1) {
        if (part.keyHigh[slot] !== keyHigh || part.keyLow[slot] !== keyLow) continue;
        if (part.synchronizer[slot] !== synchronizer + 1) {
          elsewhere = part.ordinal[slot];
          continue;
        }
        const same = part.contentHigh[slot] === contentHigh && part.contentLow[slot] === contentLow;
        return { kind: same ? 'duplicate' : 'conflict', ordinal: part.ordinal[slot] };
      }
      part.keyHigh[slot] = keyHigh;
      part.keyLow[slot] = keyLow;
      part.contentHigh[slot] = contentHigh;
      part.contentLow[slot] = contentLow;
      part.ordinal[slot] = ordinal;
      part.synchronizer[slot] = synchronizer + 1;
      part.count++;
      size++;
      return elsewhere < 0 ? NEW : { kind: 'other synchronizer', ordinal: elsewhere };
    },
  };
}
