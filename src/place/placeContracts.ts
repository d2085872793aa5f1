/**
 * `acs place`: one import file per participant and synchronizer, by who hosts a stakeholder (legacy-import spec, 1.4).
 * Records are copied byte for byte. The blob is what an import uses, so its stakeholders decide.
 */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ContractView } from '../contract/contractView.js';
import { createSnapshotFile, type SnapshotFile, type SnapshotFileOptions } from '../contract/snapshotFile.js';
import { type Finding, findingCollector } from '../convert/findingCollector.js';
import { createAtomicFile, refuseExisting } from '../io/atomicFile.js';
import { AcsError } from '../io/error.js';
import { refuseInputAsOutput } from '../io/inputAsOutput.js';
import { inputChanged, refuseReadOnce } from '../io/readTwice.js';
import { hostingOf, type PartyHosting, refuseTwoHostings } from '../remap/hosting.js';
import { Tally } from '../remap/tally.js';
import type { RecordView } from '../snapshot/record.js';
import { EVENT } from '../snapshot/recordBorders.js';
import { type ScanOptions, scanSnapshot } from '../snapshot/scan.js';
import { Interner } from '../wire/interner.js';
import { importFileKey, importFiles } from './importFiles.js';
import { PLACEMENT_HEADER, type PlacementReason, placementLine } from './placement.js';

export const PLACE_CODES = {
  UNPLACED: 'contracts none of whose stakeholders is hosted',
  PARTLY_HOSTED: 'contracts with a stakeholder that nobody hosts: they are of no use to that party',
  NO_HOSTING: 'contracts on a synchronizer for which no hosting is given',
  IN_FLIGHT: 'empty records of contracts in flight: left out, since Canton refuses a file that holds one',
  COUNTER_NONZERO:
    'contracts with a reassignment counter other than 0: import fails unless the participant enables all reassignments',
} as const;

export type PlaceCode = keyof typeof PLACE_CODES;

export interface PlaceOptions {
  readonly hostings: readonly PartyHosting[];
  /** Folder for the import files, `placement.csv` and `witnesses.csv`. */
  readonly output: string;
  /** List contracts that a participant only witnessed. They are not imported. */
  readonly includeWitnesses?: boolean;
  readonly allowUnplaced?: boolean;
  readonly scan?: ScanOptions;
  readonly file?: SnapshotFileOptions;
  readonly onProgress?: (records: number) => void;
}

export interface PlacedFile {
  file: string;
  participant: string;
  synchronizerId: string;
  contracts: number;
  byTemplate: Record<string, number>;
  /** Contracts per stakeholder, hosted here or elsewhere. */
  byParty: Record<string, number>;
}

export interface PlaceResult {
  /** Different contracts (per synchronizer) of the inputs. */
  contracts: number;
  /** Lines of the placement. */
  placements: number;
  unplaced: number;
  duplicates: number;
  witnesses: number;
  files: PlacedFile[];
  placementFile: string;
  witnessesFile: string | null;
  findings: Finding<PlaceCode>[];
}

interface OpenFile {
  participant: string;
  synchronizerId: string;
  path: string;
  contracts: number;
  byTemplate: Tally;
  byParty: Tally;
  file: SnapshotFile;
}

const MAX_CONTRACTS = 2 ** 30;

/** Places every contract. Error `UNPLACED` (nothing is written) unless `allowUnplaced`. */
export async function placeContracts(inputs: readonly string[], options: PlaceOptions): Promise<PlaceResult> {
  await refuseReadOnce(inputs);
  refuseTwoHostings(options.hostings);
  const run = new PlaceRun(options);
  try {
    return await run.run(inputs);
  } catch (error) {
    await run.abort();
    throw error;
  }
}

class PlaceRun {
  private readonly options: PlaceOptions;
  private readonly files = new Map<string, OpenFile>();
  private readonly known = new Interner(MAX_CONTRACTS);
  private readonly digests: number[] = [];
  private readonly findings = findingCollector<PlaceCode>();
  private readonly view = new ContractView();
  private lines: string[] = [];
  private witnessLines: string[] = [];
  /** Of the first pass, records in flight included. */
  private records = 0;
  private contracts = 0;
  private placements = 0;
  private unplaced = 0;
  private duplicates = 0;
  private witnesses = 0;

  constructor(options: PlaceOptions) {
    this.options = options;
  }

  async abort(): Promise<void> {
    for (const { file } of this.files.values()) await file.abort();
  }

  async run(inputs: readonly string[]): Promise<PlaceResult> {
    const { output } = this.options;
    await this.openFiles(inputs);
    await mkdir(output, { recursive: true });
    const placementFile = join(output, 'placement.csv');
    const witnessesFile = this.options.includeWitnesses ? join(output, 'witnesses.csv') : null;
    const paths = [...this.files.values()].map(({ path }) => path);
    const outputs = [placementFile, ...(witnessesFile === null ? [] : [witnessesFile]), ...paths];
    for (const path of outputs) await refuseInputAsOutput(inputs, path);
    const keep = this.options.file?.overwrite === false ? { overwrite: false } : {};
    if (keep.overwrite === false) for (const path of outputs) await refuseExisting(path);
    const placement = await createAtomicFile(placementFile, keep);
    const witnesses = witnessesFile === null ? undefined : await createAtomicFile(witnessesFile, keep);
    try {
      this.lines.push(PLACEMENT_HEADER);
      this.witnessLines.push(PLACEMENT_HEADER);
      const flush = async (): Promise<void> => {
        const text = this.lines.join('');
        const witnessText = this.witnessLines.join('');
        this.lines = [];
        this.witnessLines = [];
        if (text !== '') await placement.write(Buffer.from(text));
        if (witnesses !== undefined && witnessText !== '') await witnesses.write(Buffer.from(witnessText));
        for (const { file } of this.files.values()) await file.ready();
      };
      let records = 0;
      for (const input of inputs) {
        await scanSnapshot(
          input,
          (record) => {
            this.place(record);
            if (++records % 1024 === 0) this.options.onProgress?.(records);
          },
          { ...this.options.scan, afterChunk: flush },
        );
      }
      await flush();
      if (records !== this.records) throw inputChanged(inputs.length === 1 ? { file: inputs[0] } : {});
      if (this.unplaced > 0 && this.options.allowUnplaced !== true) throw this.unplacedError();
      for (const { file } of this.files.values()) await file.finish();
      await placement.commit();
      await witnesses?.commit();
    } catch (error) {
      await placement.abort();
      await witnesses?.abort();
      throw error;
    }
    return {
      contracts: this.contracts,
      placements: this.placements,
      unplaced: this.unplaced,
      duplicates: this.duplicates,
      witnesses: this.witnesses,
      files: [...this.files.values()].map(({ file: _file, path, byTemplate, byParty, ...rest }) => ({
        file: path,
        ...rest,
        byTemplate: byTemplate.toObject(),
        byParty: byParty.toObject(),
      })),
      placementFile,
      witnessesFile,
      findings: this.findings.list(),
    };
  }

  /** First pass: which files there will be. A participant that gets nothing gets no file. */
  private async openFiles(inputs: readonly string[]): Promise<void> {
    const pairs = new Map<string, { participant: string; synchronizerId: string }>();
    for (const input of inputs) {
      await scanSnapshot(
        input,
        (record) => {
          this.records++;
          if (record.inFlight) return;
          const synchronizerId = record.synchronizerId;
          for (const participant of this.hostsOf(record, synchronizerId).keys()) {
            pairs.set(importFileKey(participant, synchronizerId), { participant, synchronizerId });
          }
        },
        this.options.scan,
      );
    }
    for (const { participant, synchronizerId, name } of importFiles(pairs.values())) {
      const path = join(this.options.output, name);
      this.files.set(importFileKey(participant, synchronizerId), {
        participant,
        synchronizerId,
        path,
        contracts: 0,
        byTemplate: new Tally(),
        byParty: new Tally(),
        file: await createSnapshotFile(path, this.options.file),
      });
    }
  }

  /** Participants that get the contract, sorted, with the stronger reason. */
  private hostsOf(record: RecordView, synchronizerId: string): Map<string, PlacementReason> {
    const hosts = new Map<string, PlacementReason>();
    const hosting = hostingOf(this.options.hostings, synchronizerId);
    if (hosting === undefined) return hosts;
    const { blob } = this.view.of(record);
    for (const party of blob.signatories) {
      for (const participant of hosting.hosts.get(party) ?? []) hosts.set(participant, 'signatory');
    }
    for (const party of blob.nonSignatoryStakeholders) {
      for (const participant of hosting.hosts.get(party) ?? []) {
        if (!hosts.has(participant)) hosts.set(participant, 'observer');
      }
    }
    return hosts;
  }

  private place(record: RecordView): void {
    if (record.inFlight) {
      this.findings.add('IN_FLIGHT', PLACE_CODES.IN_FLIGHT);
      return;
    }
    const synchronizerId = record.synchronizerId;
    const hosts = this.hostsOf(record, synchronizerId);
    const { blob } = this.view.of(record);
    const contractId = blob.contractId;
    if (this.isRepeated(record, contractId, synchronizerId)) return;
    this.contracts++;
    if (!record.counterIsZero) this.findings.add('COUNTER_NONZERO', PLACE_CODES.COUNTER_NONZERO, contractId);
    const hosting = hostingOf(this.options.hostings, synchronizerId);
    const stakeholders = blob.stakeholders;
    if (hosting === undefined) this.findings.add('NO_HOSTING', PLACE_CODES.NO_HOSTING, synchronizerId);
    else {
      const unhosted = stakeholders.find((party) => !hosting.hosts.has(party));
      if (unhosted !== undefined && hosts.size > 0) {
        this.findings.add('PARTLY_HOSTED', PLACE_CODES.PARTLY_HOSTED, `${contractId} ${unhosted}`);
      }
    }
    if (hosts.size === 0) {
      this.unplaced++;
      this.findings.add('UNPLACED', PLACE_CODES.UNPLACED, contractId);
    }
    const { moduleName, entityName } = blob.templateId;
    const template = `${moduleName}:${entityName}`;
    for (const [participant, reason] of [...hosts].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const file = this.files.get(importFileKey(participant, synchronizerId));
      if (file === undefined) throw inputChanged({ contractId });
      file.file.writeRecord(record);
      file.contracts++;
      file.byTemplate.add(template);
      for (const party of stakeholders) file.byParty.add(party);
      this.placements++;
      this.lines.push(
        placementLine({ contractId, synchronizerId, participant, reason, template, stakeholders }),
      );
    }
    if (this.options.includeWitnesses && hosting !== undefined) {
      const seeing = new Set<string>();
      record.eachString(EVENT.witnessParties, (buf, start, end) => {
        for (const participant of hosting.hosts.get(buf.toString('utf8', start, end)) ?? []) {
          if (!hosts.has(participant)) seeing.add(participant);
        }
      });
      for (const participant of [...seeing].sort()) {
        this.witnesses++;
        this.witnessLines.push(
          placementLine({
            contractId,
            synchronizerId,
            participant,
            reason: 'witness',
            template,
            stakeholders,
          }),
        );
      }
    }
  }

  /** The same contract in several inputs is placed once; with another content or counter it is an error. */
  private isRepeated(record: RecordView, contractId: string, synchronizerId: string): boolean {
    const key = Buffer.from(`${contractId} ${synchronizerId}`);
    const number = this.known.id(key, 0, key.length);
    const digest = createHash('sha256')
      .update(record.createdEventBlob as Buffer)
      .update(record.reassignmentCounter.toString())
      .digest()
      .readUIntBE(0, 6);
    if (number === this.digests.length) {
      this.digests.push(digest);
      return false;
    }
    if (this.digests[number] !== digest) {
      throw new AcsError(
        'CONTENT_CONFLICT',
        'two records hold the same contract with different content or counter',
        {
          contractId,
          hint: 'find out which one is genuine with `acs verify` before going on',
        },
      );
    }
    this.duplicates++;
    return true;
  }

  private unplacedError(): AcsError {
    const finding = this.findings.list().find(({ code }) => code === 'UNPLACED');
    return new AcsError('UNPLACED', `${this.unplaced} contracts have no hosted stakeholder`, {
      expected: 'every contract with at least one stakeholder in the hosting map',
      found: finding?.examples.join(', '),
      hint: 'complete the hosting map, or leave these contracts out with --allow-unplaced',
    });
  }
}
