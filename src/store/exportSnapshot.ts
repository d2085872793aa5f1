/**
 * `acs store export`: the active contracts of a source at an offset as a snapshot file that Canton accepts. Contracts in
 * flight have no record a participant could import; they are listed.
 */
import { availableParallelism } from 'node:os';
import type { Manifest } from '../contract/manifest.js';
import { createSnapshotFile } from '../contract/snapshotFile.js';
import { AcsError } from '../io/error.js';
import { refuseInputAsOutput } from '../io/inputAsOutput.js';
import { IN_FLIGHT_FRAME } from '../snapshot/recordBorders.js';
import { frames } from './activeFrames.js';
import {
  type AskFilter,
  type InFlight,
  inFlightAt,
  type Question,
  questionSql,
  resolveQuestion,
  unnamedInFlight,
} from './ask.js';
import { frameBlocks } from './frameThread.js';
import { type Db, withStore } from './open.js';

export interface ExportOptions extends AskFilter {
  source?: string | undefined;
  /**
   * Contracts in flight: `list` leaves them out and names them in the result (default), `keep` writes the empty records
   * a real export has (which an import refuses), `refuse` fails.
   */
  inFlight?: 'list' | 'keep' | 'refuse';
  manifest?: boolean;
  /** Deflate level, 0 to 9. */
  level?: number;
  overwrite?: boolean;
  /** With more contracts than this they are read on a thread of their own. */
  threadFrom?: number;
  onProgress?: (contracts: number) => void;
}

export interface ExportResult {
  path: string;
  source: string;
  offset: bigint;
  contracts: number;
  compressedBytes: number;
  inflatedBytes: number;
  inFlight: InFlight[];
  /** Counted by the base without a name. */
  unnamedInFlight: number;
  /** Empty records written. */
  emptyRecords: number;
  partial: string | undefined;
  manifest: Manifest | undefined;
}

/** Records between two breaths of the event loop. */
const CHUNK = 500;
/** Contracts from which on reading them is worth a thread. */
const THREAD_FROM = 20_000;

function hasMoreThan(db: Db, q: Question, contracts: number): boolean {
  const found = db
    .prepare(`SELECT count(*) FROM (SELECT 1 ${questionSql(q)} LIMIT ${contracts + 1})`)
    .pluck()
    .get({ o: q.offset }) as number;
  return found > contracts;
}

/** Whether contracts of the parties asked for may be missing, because the base was filtered by others. */
function lacksContracts({ source, partyIds }: Question): boolean {
  return partyIds?.some((id) => source.filter?.includes(id) === false) === true;
}

export async function exportSnapshot(
  path: string,
  out: string,
  options: ExportOptions = {},
): Promise<ExportResult> {
  await refuseInputAsOutput([path], out);
  return withStore(path, {}, async ({ db }) => {
    const q = resolveQuestion(db, options.source, options);
    const inFlight = inFlightAt(db, q);
    const leaving = inFlight.filter((r) => r.kind === 'unassigned');
    const unnamed = unnamedInFlight(db, q);
    if (options.inFlight === 'refuse' && leaving.length + unnamed > 0) {
      throw new AcsError('IN_FLIGHT', 'contracts are in flight at this offset and would be missing', {
        found: `${leaving.length + unnamed}`,
        hint: 'choose another offset (acs store inflight lists them), or --in-flight list',
      });
    }
    const parties = q.partyIds ?? q.source.filter;
    if (options.manifest === true && lacksContracts(q)) {
      throw new AcsError(
        'PARTY_OUTSIDE_FILTER',
        'a manifest would say that no contract of the parties is missing',
        {
          expected: q.source.filter?.join(', '),
          found: q.partyIds?.join(', '),
          hint: 'export without --manifest, or the parties of the base only',
          exitCode: 2,
        },
      );
    }
    const file = await createSnapshotFile(out, {
      manifest: options.manifest === true,
      origin: {
        offset: q.offset,
        participant: q.source.name,
        ...(parties === undefined ? {} : { parties: [...parties] }),
      },
      ...(options.level === undefined ? {} : { level: options.level }),
      ...(options.overwrite === undefined ? {} : { overwrite: options.overwrite }),
    });
    try {
      let contracts = 0;
      const apart = availableParallelism() > 1 && hasMoreThan(db, q, options.threadFrom ?? THREAD_FROM);
      if (apart) {
        for await (const { bytes, ends, release } of frameBlocks(path, q)) {
          file.writeFrames(bytes, ends, release);
          contracts += ends.length;
          await file.ready();
          options.onProgress?.(contracts);
        }
      } else {
        for (const frame of frames(db, q)) {
          file.writeFrame(frame);
          if (++contracts % CHUNK !== 0) continue;
          await file.ready();
          options.onProgress?.(contracts);
        }
      }
      let emptyRecords = 0;
      if (options.inFlight === 'keep') {
        emptyRecords = (q.synchronizers === undefined ? leaving.length : 0) + unnamed;
        for (let i = 0; i < emptyRecords; i++) file.writeFrame(IN_FLIGHT_FRAME);
      }
      const written = await file.finish();
      return {
        path: out,
        source: q.source.name,
        offset: q.offset,
        contracts,
        compressedBytes: written.compressedBytes,
        inflatedBytes: written.inflatedBytes,
        inFlight,
        unnamedInFlight: unnamed,
        emptyRecords,
        partial: q.partial,
        manifest: written.manifest,
      };
    } catch (error) {
      await file.abort();
      throw error;
    }
  });
}
