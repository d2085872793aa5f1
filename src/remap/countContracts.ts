/** `acs count`: how many contracts per template and party, and whether they are those of a placement. */
import { ContractView } from '../contract/contractView.js';
import { AcsError } from '../io/error.js';
import { type ScanOptions, scanSnapshot } from '../snapshot/scan.js';
import type { PlacementRow } from './placement.js';
import { Tally } from './tally.js';

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

/** Counts, and compares with what the placement gives the participant (and, when given, the synchronizer). */
export async function countContracts(
  file: string,
  expect?: { participant: string; placement: readonly PlacementRow[]; synchronizerId?: string },
  options: ScanOptions = {},
): Promise<CountReport> {
  const counts = { contracts: 0, inFlight: 0, byTemplate: new Tally(), byParty: new Tally() };
  const view = new ContractView();
  const wanted = expect === undefined ? undefined : expectedRows(expect);
  const left = new Set(wanted?.keys());
  const unexpected: string[] = [];
  await scanSnapshot(
    file,
    (record) => {
      if (record.inFlight) {
        counts.inFlight++;
        return;
      }
      const contract = view.of(record);
      const { moduleName, entityName } = contract.templateId;
      counts.byTemplate.add(`${moduleName}:${entityName}`);
      const parties = new Set([...contract.signatories, ...contract.observers]);
      for (const party of parties) counts.byParty.add(party);
      counts.contracts++;
      if (wanted !== undefined) {
        const key = `${contract.contractId} ${record.synchronizerId}`;
        if (!left.delete(key)) unexpected.push(contract.contractId);
      }
    },
    options,
  );
  const report: CountReport = {
    file,
    ...counts,
    byTemplate: counts.byTemplate.toObject(),
    byParty: counts.byParty.toObject(),
  };
  if (expect !== undefined && wanted !== undefined) {
    report.participant = expect.participant;
    report.expected = wanted.size;
    report.missing = [...left].map((key) => key.split(' ')[0]).sort();
    report.unexpected = unexpected.sort();
    report.differences = differences(counts, [...wanted.values()]);
  }
  return report;
}

/** True when the file holds exactly what the placement says. */
export function countsAgree(report: CountReport): boolean {
  return (
    (report.missing ?? []).length === 0 &&
    (report.unexpected ?? []).length === 0 &&
    (report.differences ?? []).length === 0
  );
}

function expectedRows(expect: {
  participant: string;
  placement: readonly PlacementRow[];
  synchronizerId?: string;
}): Map<string, PlacementRow> {
  const rows = new Map<string, PlacementRow>();
  for (const row of expect.placement) {
    if (row.participant !== expect.participant || row.reason === 'witness') continue;
    if (expect.synchronizerId !== undefined && row.synchronizerId !== expect.synchronizerId) continue;
    rows.set(`${row.contractId} ${row.synchronizerId}`, row);
  }
  return rows;
}

function differences(
  actual: { byTemplate: Tally; byParty: Tally },
  rows: readonly PlacementRow[],
): CountDifference[] {
  const byTemplate = new Tally();
  const byParty = new Tally();
  for (const row of rows) {
    byTemplate.add(row.template);
    for (const party of row.stakeholders) byParty.add(party);
  }
  return [
    ...compare('template', byTemplate, actual.byTemplate),
    ...compare('party', byParty, actual.byParty),
  ];
}

function compare(what: CountDifference['what'], expected: Tally, actual: Tally): CountDifference[] {
  const names = [...new Set([...expected.names(), ...actual.names()])].sort();
  return names
    .map((name) => ({ what, name, expected: expected.get(name), found: actual.get(name) }))
    .filter((difference) => difference.expected !== difference.found);
}

/** The participant of a file written by `acs place`: `participant.synchronizer.acs.gz`. */
export function participantOfFile(path: string, placement: readonly PlacementRow[]): string {
  const name = path.replace(/^.*[\\/]/, '');
  const participants = [...new Set(placement.map((row) => row.participant))];
  const matching = participants.filter((participant) =>
    name.startsWith(`${participant.replace(/[^A-Za-z0-9._-]/g, '_')}.`),
  );
  // `p.1` and `p` may both fit `p.1.sync.acs.gz`: the longer one is meant.
  const best = matching.sort((a, b) => b.length - a.length)[0];
  if (best !== undefined) return best;
  throw new AcsError('PARTICIPANT_UNKNOWN', 'the name of the file does not say whose it is', {
    file: path,
    expected: participants.sort().join(', '),
    hint: 'write NAME=FILE',
    exitCode: 2,
  });
}
