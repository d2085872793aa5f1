/** `acs count`: how many contracts per template and party, and whether they are those of a placement. */
import { ContractView } from '../contract/contractView.js';
import { Tally } from '../remap/tally.js';
import { type ScanOptions, scanSnapshot } from '../snapshot/scan.js';
import { activeRows, inFlightAt, resolveQuestion } from '../store/ask.js';
import { isDatabaseFile, withStore } from '../store/open.js';
import type { PlacementRow } from './placement.js';

export interface ContractCounts {
  contracts: number;
  inFlight: number;
  byTemplate: Record<string, number>;
  /** Per stakeholder. */
  byParty: Record<string, number>;
}

export interface CountDifference {
  what: 'template' | 'party';
  name: string;
  expected: number;
  found: number;
}

export interface CountReport extends ContractCounts {
  file: string;
  /** Only with a placement. */
  participant?: string;
  expected?: number;
  differences?: CountDifference[];
  /** Contract ids that the placement has and the file lacks. */
  missing?: string[];
  /** Contract ids that the file has and the placement lacks. */
  unexpected?: string[];
}

export interface CountExpectation {
  readonly participant: string;
  readonly placement: readonly PlacementRow[];
  /** Only the contracts and placements of this synchronizer. */
  readonly synchronizerId?: string | undefined;
  /** The file is for this synchronizer: only its placements count, but every contract of the file. */
  readonly placedOn?: string | undefined;
}

export interface CountOptions {
  readonly scan?: ScanOptions;
  /** Of a store: the source, when it holds several. */
  readonly source?: string | undefined;
  /** Of a store: the ledger offset; default its head. */
  readonly offset?: bigint | undefined;
}

/** Counts a snapshot file or a store, and compares with what the placement gives the participant. */
export async function countContracts(
  file: string,
  expect?: CountExpectation,
  options: CountOptions = {},
): Promise<CountReport> {
  const counting = new Counting(expect);
  if (file !== '-' && isDatabaseFile(file)) {
    await withStore(file, {}, ({ db }) => {
      const question = resolveQuestion(db, options.source, { offset: options.offset });
      for (const row of activeRows(db, question)) {
        counting.add(row.contractId, row.synchronizer, `${row.moduleName}:${row.entityName}`, [
          ...row.signatories,
          ...row.observers,
        ]);
      }
      counting.inFlight = inFlightAt(db, question).length;
    });
    return counting.report(file);
  }
  const view = new ContractView();
  await scanSnapshot(
    file,
    (record) => {
      if (record.inFlight) {
        counting.inFlight++;
        return;
      }
      const contract = view.of(record);
      const { moduleName, entityName } = contract.templateId;
      counting.add(contract.contractId, record.synchronizerId, `${moduleName}:${entityName}`, [
        ...contract.signatories,
        ...contract.observers,
      ]);
    },
    options.scan,
  );
  return counting.report(file);
}

class Counting {
  inFlight = 0;
  private contracts = 0;
  private readonly byTemplate = new Tally();
  private readonly byParty = new Tally();
  private readonly expect: CountExpectation | undefined;
  private readonly wanted: Map<string, PlacementRow> | undefined;
  private readonly left: Set<string>;
  private readonly unexpected: string[] = [];

  constructor(expect: CountExpectation | undefined) {
    this.expect = expect;
    this.wanted = expect === undefined ? undefined : expectedRows(expect);
    this.left = new Set(this.wanted?.keys());
  }

  add(contractId: string, synchronizerId: string, template: string, stakeholders: readonly string[]): void {
    const only = this.expect?.synchronizerId;
    if (only !== undefined && only !== synchronizerId) return;
    this.byTemplate.add(template);
    for (const party of new Set(stakeholders)) this.byParty.add(party);
    this.contracts++;
    if (this.wanted !== undefined && !this.left.delete(`${contractId} ${synchronizerId}`))
      this.unexpected.push(contractId);
  }

  report(file: string): CountReport {
    const { expect, wanted } = this;
    const report: CountReport = {
      file,
      contracts: this.contracts,
      inFlight: this.inFlight,
      byTemplate: this.byTemplate.toObject(),
      byParty: this.byParty.toObject(),
    };
    if (expect !== undefined && wanted !== undefined) {
      report.participant = expect.participant;
      report.expected = wanted.size;
      report.missing = [...this.left].map((key) => key.split(' ')[0]).sort();
      report.unexpected = this.unexpected.sort();
      report.differences = differences(this, [...wanted.values()]);
    }
    return report;
  }

  /** What the placement says per template and party, against what was found. */
  compareWith(byTemplate: Tally, byParty: Tally): CountDifference[] {
    return [...compare('template', byTemplate, this.byTemplate), ...compare('party', byParty, this.byParty)];
  }
}

/** True when the file holds exactly what the placement says. */
export function countsAgree(report: CountReport): boolean {
  return (
    (report.missing ?? []).length === 0 &&
    (report.unexpected ?? []).length === 0 &&
    (report.differences ?? []).length === 0
  );
}

function expectedRows(expect: CountExpectation): Map<string, PlacementRow> {
  const rows = new Map<string, PlacementRow>();
  const only = expect.synchronizerId ?? expect.placedOn;
  for (const row of expect.placement) {
    if (row.participant !== expect.participant || row.reason === 'witness') continue;
    if (only !== undefined && row.synchronizerId !== only) continue;
    rows.set(`${row.contractId} ${row.synchronizerId}`, row);
  }
  return rows;
}

function differences(actual: Counting, rows: readonly PlacementRow[]): CountDifference[] {
  const byTemplate = new Tally();
  const byParty = new Tally();
  for (const row of rows) {
    byTemplate.add(row.template);
    for (const party of row.stakeholders) byParty.add(party);
  }
  return actual.compareWith(byTemplate, byParty);
}

function compare(what: CountDifference['what'], expected: Tally, actual: Tally): CountDifference[] {
  const names = [...new Set([...expected.names(), ...actual.names()])].sort();
  return names
    .map((name) => ({ what, name, expected: expected.get(name), found: actual.get(name) }))
    .filter((difference) => difference.expected !== difference.found);
}
