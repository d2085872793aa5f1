/** The store's answers under the field names of the other commands; what is not known is null. */
import { formatMicros } from '../contract/time.js';
import type { AppendResult } from '../store/append.js';
import type { ActiveCount, ActiveRow, InFlight } from '../store/ask.js';
import type { Change } from '../store/changes.js';
import type { CheckResult } from '../store/check.js';
import type { ColumnarResult } from '../store/columnar.js';
import type { ExportResult } from '../store/exportSnapshot.js';
import type { ContractHistory, HistoryEvent } from '../store/history.js';
import type { LoadResult } from '../store/load.js';
import type { StoreInfo } from '../store/storeInfo.js';

export function loadJson({ filter, inFlight, findings, resumedAt, ...result }: LoadResult) {
  return {
    ...result,
    resumedRecords: resumedAt,
    inFlight: inFlight.named,
    unnamedInFlight: inFlight.unnamed,
    parties: filter ?? null,
    findingCounts: findings,
  };
}

export function appendJson({ findings, ...result }: AppendResult) {
  return { ...result, findingCounts: findings };
}

export function activeJson(row: ActiveRow) {
  return {
    contractId: row.contractId,
    synchronizerId: row.synchronizer,
    reassignmentCounter: row.reassignmentCounter,
    since: row.since,
    templateId: templateId(row.packageId, `${row.moduleName}:${row.entityName}`),
    packageName: row.packageName,
    createdAt: time(row.createdAt),
    signatories: row.signatories,
    observers: row.observers,
  };
}

export function activeCountJson({ synchronizer, packageId, template, contracts }: ActiveCount) {
  return { synchronizerId: synchronizer, templateId: templateId(packageId, template), contracts };
}

export function changeJson({ kind, contractId, packageId, template, before, after }: Change) {
  const places = (list: Change['before']) =>
    list.map((place) => ({
      synchronizerId: place.synchronizer,
      reassignmentCounter: place.reassignmentCounter,
    }));
  return {
    kind,
    contractId,
    templateId: templateId(packageId, template),
    before: places(before),
    after: places(after),
  };
}

export function inFlightJson(row: InFlight) {
  return {
    kind: row.kind,
    certain: row.certain,
    contractId: row.contractId,
    reassignmentId: row.reassignmentId,
    sourceSynchronizerId: row.source,
    targetSynchronizerId: row.target,
    reassignmentCounter: row.counter,
    unassignedOffset: row.unassignedOffset ?? null,
    assignedOffset: row.assignedOffset ?? null,
    exclusiveUntil: time(row.exclusivity),
  };
}

export function historyJson(history: ContractHistory) {
  const { template, packageId, createdAt, events, status, findings, ...rest } = history;
  return {
    ...rest,
    templateId: templateId(packageId, template),
    createdAt: time(createdAt),
    events: events.map(eventJson),
    status: status.map(({ synchronizers, note, ...each }) => ({
      ...each,
      synchronizerIds: synchronizers,
      note: note ?? null,
    })),
    findings: findings.map(({ level, offset, detail, ...each }) => ({
      ...each,
      severity: severity(level),
      offset: offset ?? null,
      message: detail,
    })),
  };
}

function eventJson(event: HistoryEvent) {
  return {
    source: event.source,
    offset: event.offset,
    kind: event.kind,
    synchronizerId: event.synchronizer,
    reassignmentCounter: event.reassignmentCounter ?? null,
    recordTime: time(event.recordTime),
    updateId: event.updateId ?? null,
    workflowId: event.workflowId ?? null,
    reassignmentId: event.reassignmentId ?? null,
    sourceSynchronizerId: event.from ?? null,
    targetSynchronizerId: event.to ?? null,
  };
}

export function storeInfoJson({ path, blobBytes: _, sources, ...info }: StoreInfo) {
  return {
    file: path,
    ...info,
    sources: sources.map(
      ({ name, baseOffset, headOffset, filter, recordTimes, imports, findings, ...source }) => ({
        source: name,
        baseOffset: baseOffset ?? null,
        headOffset: headOffset ?? null,
        parties: filter ?? null,
        ...source,
        findingCounts: findings,
        recordTimes: Object.fromEntries(
          Object.entries(recordTimes).map(([id, micros]) => [id, formatMicros(micros)]),
        ),
        imports: imports.map(({ file, atOffset, ...each }) => ({
          ...each,
          file: file ?? null,
          offset: atOffset ?? null,
        })),
      }),
    ),
  };
}

export function checkJson({ problems, more, digests, ...counts }: CheckResult) {
  return {
    ...counts,
    digests,
    findings: problems.map(({ code, level, source, detail, contractId }) => ({
      severity: severity(level),
      code,
      message: detail,
      source: source ?? null,
      contractId: contractId ?? null,
    })),
    notListed: more,
  };
}

export function exportJson(
  { path, inFlight, partial, manifest, ...result }: ExportResult,
  manifestFile: string,
) {
  return {
    output: path,
    ...result,
    reassignments: inFlight.map(inFlightJson),
    partial: partial ?? null,
    contentDigest: manifest?.contentDigest ?? null,
    manifestFile: manifest === undefined ? null : manifestFile,
  };
}

export function columnarJson({ folder, files, leftOver: _, ...result }: ColumnarResult) {
  return {
    output: folder,
    ...result,
    files: files.map(({ path, synchronizer, head, ...file }) => ({
      file: path,
      ...file,
      synchronizerId: synchronizer,
      headOffset: head,
    })),
  };
}

function templateId(packageId: string, template: string): string | null {
  return /^[^:]+:[^:]+$/.test(template) ? `${packageId}:${template}` : null;
}

function time(micros: bigint | undefined): string | null {
  return micros === undefined ? null : formatMicros(micros);
}

function severity(level: string): 'error' | 'warning' | 'notice' {
  return level === 'E' ? 'error' : level === 'W' ? 'warning' : 'notice';
}
