/** What `acs info` counts, record by record. */
import { classifyContractId, contractIdLabel } from '../contract/contractId.js';
import { ContractView } from '../contract/contractView.js';
import { formatMicros } from '../contract/time.js';
import { countedRecords, PARTY, SYNCHRONIZER, TEMPLATE } from '../contract/usual/countedRecords.js';
import type { RecordView } from '../snapshot/record.js';
import { EVENT } from '../snapshot/recordBorders.js';
import type { FramePasser } from '../wire/frames.js';
import { Interner } from '../wire/interner.js';
import { sameBytes } from '../wire/sameBytes.js';
import { type SizeSummary, sizeTally } from './sizes.js';

/** Different parties counted one by one; further ones are only counted together. */
export const MAX_PARTIES = 250_000;
/** Different synchronizers counted one by one, and template ids remembered as they are written. */
const MAX_GROUPS = 100_000;
/** The row of all synchronizers beyond the bound. */
const OTHERS = '(others)';

export interface SnapshotCounts {
  contentDigest: string;
  byTemplate: { templateId: string; packageName: string; contracts: number; bytes: number }[];
  byPackage: { packageId: string; packageName: string; contracts: number }[];
  bySynchronizer: { synchronizerId: string; contracts: number }[];
  byReassignmentCounter: { reassignmentCounter: string; contracts: number }[];
  byContractIdVersion: { version: string; contracts: number }[];
  /** Contracts whose representative package is not the package of their creation. */
  representedByOtherPackage: number;
  parties: {
    distinct: number;
    /** True when there were more than {@link MAX_PARTIES}: then `distinct` is a lower bound. */
    truncated: boolean;
    byRole: { party: string; signatory: number; observer: number }[];
  };
  createdAt: { first: string; last: string } | null;
  recordBytes: SizeSummary | null;
  blobBytes: SizeSummary | null;
  largest: { record: number; contractId: string; templateId: string; bytes: number }[];
}

/** Counts per interned string; ids are dense, so an array serves as the map. */
class Counter {
  readonly names: Interner;
  readonly counts: number[] = [];
  /** Occurrences of strings beyond the capacity. */
  others = 0;
  private last = -1;

  constructor(capacity: number) {
    this.names = new Interner(capacity);
  }

  add(buf: Buffer, start: number, end: number): number {
    const id = this.names.id(buf, start, end, this.last);
    if (id < 0) this.others++;
    else {
      this.last = id;
      if (id === this.counts.length) this.counts.push(1);
      else this.counts[id]++;
    }
    return id;
  }
}

interface TemplateRow {
  packageName: string;
  contracts: number;
  bytes: number;
}

export interface InfoTally extends FramePasser {
  /** Announces the chunk that the next records lie in; it must stay as it is until the next one is held. */
  hold(chunk: Buffer): void;
  /** Counts a record that was not passed. */
  add(record: RecordView): void;
  finish(): SnapshotCounts;
}

export function infoTally(largestCount: number): InfoTally {
  const view = new ContractView();
  const usual = countedRecords<TemplateRow | number>();
  const { digest } = usual;
  const templates = new Map<string, TemplateRow>();
  /** Template ids as stored in the event, to the row they count in. */
  const templateNames = new Interner(MAX_GROUPS);
  const templateRows: (TemplateRow | undefined)[] = [];
  let lastTemplate = -1;
  let lastSignatory = -1;
  let lastSynchronizer = -1;
  const synchronizers = new Counter(MAX_GROUPS);
  const counters = new Map<bigint, number>();
  let zeroCounters = 0;
  const versions = new Map<string, number>();
  let usualVersions = 0;
  const parties = new Interner(MAX_PARTIES);
  const signatory: number[] = [];
  const observer: number[] = [];
  let partiesTruncated = false;
  let representedByOther = 0;
  const created = timeRange();
  const recordBytes = sizeTally();
  const blobBytes = sizeTally();
  const largest: SnapshotCounts['largest'] = [];

  function templateRow(record: RecordView): TemplateRow {
    const start = record.eventFields[2 * EVENT.templateId];
    if (start >= 0) {
      const id = templateNames.id(
        record.buf,
        start,
        record.eventFields[2 * EVENT.templateId + 1],
        lastTemplate,
      );
      lastTemplate = id;
      const known = templateRows[id];
      if (known !== undefined) return known;
      const row = rowByName();
      if (id >= 0) {
        templateRows[id] = row;
        usual.know(TEMPLATE, record.buf.subarray(start, record.eventFields[2 * EVENT.templateId + 1]), row);
      }
      return row;
    }
    return rowByName();
  }

  function rowByName(): TemplateRow {
    const name = templateName(view);
    let row = templates.get(name);
    if (row === undefined) {
      row = { packageName: view.packageName, contracts: 0, bytes: 0 };
      templates.set(name, row);
    }
    return row;
  }

  function addParty(buf: Buffer, start: number, end: number, isSignatory: boolean): void {
    const id = parties.id(buf, start, end, isSignatory ? lastSignatory : -1);
    if (isSignatory) lastSignatory = id;
    if (id < 0) {
      partiesTruncated = true;
      return;
    }
    if (id === signatory.length) {
      signatory.push(0);
      observer.push(0);
      usual.know(PARTY, buf.subarray(start, end), id);
    }
    if (isSignatory) signatory[id]++;
    else observer[id]++;
  }

  /** Adds the counts of a string of the records that passed. */
  function addTextCounts(
    kind: number,
    mark: TemplateRow | number,
    count: number,
    asObserver: number,
    bytes: number,
  ): void {
    if (typeof mark !== 'number') {
      mark.contracts += count;
      mark.bytes += bytes;
    } else if (kind === SYNCHRONIZER) synchronizers.counts[mark] += count;
    else {
      signatory[mark] += count;
      observer[mark] += asObserver;
    }
  }

  /** Adds all that was counted of the records that passed: once, at the end. */
  function addUsual(): void {
    const counts = usual.counts(addTextCounts);
    representedByOther += counts.representedByOtherPackage;
    if (counts.created !== undefined) created.widen(counts.created.first, counts.created.last);
    counts.counters.forEach((count, counter) => {
      if (counter === 0) zeroCounters += count;
      else if (count > 0) counters.set(BigInt(counter), (counters.get(BigInt(counter)) ?? 0) + count);
    });
    counts.recordSizes.forEach((count, size) => {
      if (count === 0) return;
      recordBytes.add(size, count);
      usualVersions += count;
    });
    counts.blobSizes.forEach((count, size) => {
      if (count > 0) blobBytes.add(size, count);
    });
  }

  return {
    hold: usual.hold,
    pass: (chunk, from, longest) => usual.pass(from, chunk.length, longest),
    get passed() {
      return usual.passed;
    },
    add(record) {
      view.of(record);
      digest.add(record);
      const bytes = record.end - record.start;
      const row = templateRow(record);
      row.contracts++;
      row.bytes += bytes;
      const synchronizer = synchronizers.add(record.buf, record.synchronizerStart, record.synchronizerEnd);
      if (synchronizer > lastSynchronizer) {
        lastSynchronizer = synchronizer;
        const id = record.buf.subarray(record.synchronizerStart, record.synchronizerEnd);
        usual.know(SYNCHRONIZER, id, synchronizer);
      }
      if (record.counterIsZero) zeroCounters++;
      else {
        const counter = BigInt.asIntN(64, record.reassignmentCounter);
        counters.set(counter, (counters.get(counter) ?? 0) + 1);
      }
      if (hasUsualContractId(record)) usualVersions++;
      else {
        const version = contractIdVersion(record, view);
        versions.set(version, (versions.get(version) ?? 0) + 1);
      }
      if (representedByOtherPackage(record)) representedByOther++;
      view.eachStakeholder(addParty);
      created.add(view);
      recordBytes.add(bytes);
      const fields = record.eventFields;
      const blobStart = fields[2 * EVENT.createdEventBlob];
      blobBytes.add(blobStart < 0 ? 0 : fields[2 * EVENT.createdEventBlob + 1] - blobStart);
      if (largest.length < largestCount || (largestCount > 0 && bytes > largest[largest.length - 1].bytes)) {
        largest.push({
          record: record.index,
          contractId: view.contractId,
          templateId: templateName(view),
          bytes,
        });
        largest.sort((a, b) => b.bytes - a.bytes || a.record - b.record);
        if (largest.length > largestCount) largest.pop();
      }
      // A record that may be among the largest has to be looked at.
      if (largest.length === largestCount)
        usual.passUpTo(largestCount === 0 ? Number.POSITIVE_INFINITY : largest[largestCount - 1].bytes);
    },
    finish() {
      addUsual();
      if (usualVersions > 0) versions.set('V12', (versions.get('V12') ?? 0) + usualVersions);
      if (zeroCounters > 0) counters.set(0n, (counters.get(0n) ?? 0) + zeroCounters);
      const byTemplate = [...templates]
        .map(([templateId, row]) => ({ templateId, ...row }))
        .sort((a, b) => b.contracts - a.contracts || order(a.templateId, b.templateId));
      const packages = new Map<string, { packageName: string; contracts: number }>();
      for (const { templateId, packageName, contracts } of byTemplate) {
        const packageId = templateId.slice(0, templateId.indexOf(':'));
        const row = packages.get(packageId) ?? { packageName, contracts: 0 };
        row.contracts += contracts;
        packages.set(packageId, row);
      }
      return {
        contentDigest: digest.hex(),
        byTemplate,
        byPackage: [...packages]
          .map(([packageId, row]) => ({ packageId, ...row }))
          .sort((a, b) => b.contracts - a.contracts || order(a.packageId, b.packageId)),
        bySynchronizer: synchronizers.counts
          .map((contracts, id) => ({ synchronizerId: synchronizers.names.text(id), contracts }))
          .sort((a, b) => b.contracts - a.contracts || order(a.synchronizerId, b.synchronizerId))
          .concat(
            synchronizers.others > 0 ? [{ synchronizerId: OTHERS, contracts: synchronizers.others }] : [],
          ),
        byReassignmentCounter: [...counters]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([counter, contracts]) => ({ reassignmentCounter: counter.toString(), contracts })),
        byContractIdVersion: [...versions]
          .map(([version, contracts]) => ({ version, contracts }))
          .sort((a, b) => b.contracts - a.contracts || order(a.version, b.version)),
        representedByOtherPackage: representedByOther,
        parties: {
          distinct: parties.size,
          truncated: partiesTruncated,
          byRole: signatory
            .map((n, id) => ({ party: parties.text(id), signatory: n, observer: observer[id] }))
            .sort((a, b) => b.signatory + b.observer - a.signatory - a.observer || order(a.party, b.party)),
        },
        createdAt: created.range(),
        recordBytes: recordBytes.summary() ?? null,
        blobBytes: blobBytes.summary() ?? null,
        largest,
      };
    },
  };
}

/** First and last creation time: plain numbers as long as they are exact. */
function timeRange(): {
  add(view: ContractView): void;
  /** Takes exact times, as plain numbers. */
  widen(earliest: number, latest: number): void;
  range(): SnapshotCounts['createdAt'];
} {
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  /** Times that no double holds. */
  const odd: bigint[] = [];
  return {
    add(view) {
      const micros = view.createdAtNumber;
      if (micros < first) first = micros;
      if (micros > last) last = micros;
      if (Number.isNaN(micros)) {
        odd.push(view.createdAt);
        if (odd.length > 2) odd.sort(bigintOrder).splice(1, odd.length - 2);
      }
    },
    widen(earliest, latest) {
      first = Math.min(first, earliest);
      last = Math.max(last, latest);
    },
    range() {
      const all = [...odd, ...(first <= last ? [BigInt(first), BigInt(last)] : [])].sort(bigintOrder);
      return all.length === 0
        ? null
        : { first: formatMicros(all[0]), last: formatMicros(all[all.length - 1]) };
    },
  };
}

function bigintOrder(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `package:module:entity`. */
function templateName(view: ContractView): string {
  const { packageId, moduleName, entityName } = view.templateId;
  return `${packageId}:${moduleName}:${entityName}`;
}

const CANTON_HEX_CHARS = 138;
const TEXT_V12 = Buffer.from('ca121220').readUInt32LE(0);

/** True when the event's contract id is one of Canton's, version 12: read off the hex text without decoding it. */
function hasUsualContractId(record: RecordView): boolean {
  const start = record.eventFields[2 * EVENT.contractId];
  if (start < 0 || record.eventFields[2 * EVENT.contractId + 1] - start !== CANTON_HEX_CHARS) return false;
  const { buf } = record;
  return (
    buf[start] === 0x30 &&
    buf[start + 1] === 0x30 &&
    buf.readUInt32LE(start + 66) === TEXT_V12 &&
    buf.readUInt32BE(start + 70) === 0x31323230
  );
}

/** The label of the id's version. */
function contractIdVersion(record: RecordView, view: ContractView): string {
  const start = record.eventFields[2 * EVENT.contractId];
  if (start < 0) {
    const blob = view.blob;
    return contractIdLabel(classifyContractId(blob.buf, blob.contractIdStart, blob.contractIdEnd));
  }
  const end = record.eventFields[2 * EVENT.contractId + 1];
  return contractIdLabel(classifyContractId(Buffer.from(record.buf.toString('latin1', start, end), 'hex')));
}

/** Compares the representative package id with the package id that starts the event's template id. */
function representedByOtherPackage(record: RecordView): boolean {
  const fields = record.eventFields;
  const start = fields[2 * EVENT.representativePackageId];
  const template = fields[2 * EVENT.templateId];
  if (start < 0 || template < 0) return false;
  const end = fields[2 * EVENT.representativePackageId + 1];
  const templateEnd = fields[2 * EVENT.templateId + 1];
  const { buf } = record;
  const idEnd = template + 2 + end - start;
  if (buf[template] === 0x0a && buf[template + 1] === end - start && idEnd <= templateEnd) {
    return !sameBytes(buf, start, end, buf, template + 2);
  }
  return record.templateId?.packageId !== record.representativePackageId;
}
