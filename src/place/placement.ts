/** The file `placement.csv`: one line per contract and participant that gets it, with the reason. */
import { readFile } from 'node:fs/promises';
import { AcsError } from '../io/error.js';
import { fileError } from '../io/input.js';
import { csvLine, parseCsv } from '../remap/csv.js';

export type PlacementReason = 'signatory' | 'observer' | 'witness';

export interface PlacementRow {
  readonly contractId: string;
  readonly synchronizerId: string;
  readonly participant: string;
  readonly reason: PlacementReason;
  /** `Module:Entity`. */
  readonly template: string;
  /** All stakeholders of the contract, ascending. */
  readonly stakeholders: readonly string[];
}

const COLUMNS = [
  'contract_id',
  'synchronizer_id',
  'participant',
  'reason',
  'template',
  'stakeholders',
] as const;

export const PLACEMENT_HEADER = csvLine(COLUMNS);

export function placementLine(row: PlacementRow): string {
  return csvLine([
    row.contractId,
    row.synchronizerId,
    row.participant,
    row.reason,
    row.template,
    row.stakeholders.join(';'),
  ]);
}

/** Errors: `PLACEMENT_MALFORMED`, `CSV_MALFORMED`. */
export async function readPlacement(path: string): Promise<PlacementRow[]> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw fileError(path, cause);
  });
  try {
    const [head, ...rows] = parseCsv(text);
    if (head === undefined || COLUMNS.some((name, i) => head.cells[i] !== name)) {
      throw new AcsError('PLACEMENT_MALFORMED', 'not a placement file', {
        line: 1,
        expected: COLUMNS.join(),
        found: head?.cells.join() ?? 'nothing',
      });
    }
    return rows.map(({ line, cells }) => {
      const [contractId, synchronizerId, participant, reason, template, stakeholders] = cells;
      if (
        cells.length !== COLUMNS.length ||
        (reason !== 'signatory' && reason !== 'observer' && reason !== 'witness')
      ) {
        throw new AcsError('PLACEMENT_MALFORMED', 'a line of the placement has the wrong form', {
          line,
          expected: COLUMNS.join(),
          found: cells.join(),
        });
      }
      return {
        contractId,
        synchronizerId,
        participant,
        reason,
        template,
        stakeholders: stakeholders.split(';'),
      };
    });
  } catch (error) {
    throw error instanceof AcsError ? error.locate({ file: path }) : error;
  }
}
