/**
 * `acs remap`: new parties, packages, synchronizers, and the contract ids that follow from them, over all inputs at once
 * (contract-id spec, section 7). Two passes over the inputs. The first computes the new id of every contract: at once
 * where nothing is referred to, else, after all have been seen, in the order of the references. The second writes.
 */
import { basename, join } from 'node:path';
import { BlobView, decodeBlob, encodeBlob } from '../contract/blob.js';
import type { ContractIdVersion } from '../contract/contractId.js';
import { ContractView } from '../contract/contractView.js';
import { createSnapshotFile, type SnapshotFile, type SnapshotFileOptions } from '../contract/snapshotFile.js';
import { decodeValue, encodeValue } from '../contract/valueCodec.js';
import { commonCutFinding } from '../convert/commonCut.js';
import { completeContract } from '../convert/completeContract.js';
import { type Finding, findingCollector } from '../convert/findings.js';
import { type Importability, importability } from '../convert/importability.js';
import { readSource, type SourceFacts } from '../convert/readSource.js';
import type { SourceContract, SourceFinding } from '../convert/sourceContract.js';
import type { ReadSourceOptions } from '../convert/sourceReading.js';
import type { PlanCompiler } from '../dar/plan.js';
import { authenticateWith, type Verdict } from '../hash/authenticate.js';
import { hasherFor } from '../hash/computeContractId.js';
import { METHOD_OF_VERSION } from '../hash/contractHasher.js';
import { AcsError, usageError } from '../io/error.js';
import { encodeFrame } from '../snapshot/encodeRecord.js';
import { RecordView } from '../snapshot/record.js';
import { ContractTable, ID_NEW, ID_PENDING } from './contractTable.js';
import { writeIdMap } from './idMapFile.js';
import type { Mint } from './mint.js';
import type { PartyMap } from './partyMap.js';
import { partyIdProblem } from './partyMap.js';
import {
  ContractPreparer,
  type Prepared,
  type PrepareOptions,
  type PrepareReport,
} from './prepareContract.js';
import { RecordRewriter } from './recordRewriter.js';
import { type KeyCollision, REFUSED_BY_DEFAULT, REMAP_CODES, type RemapCode } from './remapFindings.js';
import { ValueRemapper } from './remapValue.js';
import { rewriteEvent } from './rewriteEvent.js';
import { spill } from './spill.js';
import { textParties } from './textParties.js';

export interface RemapOptions {
  readonly map: PartyMap;
  /** One input: a file. Several: a folder, one file per input, named like it. */
  readonly output: string;
  /** Where the id map goes. Default: next to the output. */
  readonly idMap?: string;
  readonly compiler?: PlanCompiler | undefined;
  readonly mint?: Mint | undefined;
  /** Version of minted ids. Default `V12`. */
  readonly mintVersion?: 'V10' | 'V11' | 'V12';
  readonly packageMap?: ReadonlyMap<string, string>;
  readonly synchronizerMap?: ReadonlyMap<string, string>;
  readonly synchronizerId?: string | undefined;
  readonly createdAt?: bigint | undefined;
  /** Codes that are no reason to refuse. */
  readonly allow?: ReadonlySet<RemapCode>;
  /** Refuse when any contract id would change. */
  readonly keepIds?: boolean;
  readonly read?: ReadSourceOptions;
  readonly file?: SnapshotFileOptions;
  readonly onProgress?: (pass: 1 | 2, contracts: number) => void;
  /** Takes the long way for every contract. For tests. */
  readonly longWay?: boolean;
}

/** What a target participant of the 3.5 line does with the contracts of one id version. */
export interface IdVersionReport extends Importability {
  contracts: number;
}

export interface RemapResult {
  inputs: SourceFacts[];
  outputs: { input: string; output: string; contracts: number; changed: number }[];
  /** Different contracts over all inputs. */
  contracts: number;
  /** Of those: ids that changed. */
  newIds: number;
  minted: number;
  /** Contracts that refer to others. */
  referring: number;
  idMap: string | null;
  idVersions: IdVersionReport[];
  findings: Finding<RemapCode>[];
  sourceFindings: SourceFinding[];
  /** Every party of the inputs that the map does not have, sorted. */
  unmappedParties: string[];
  collisions: KeyCollision[];
  /** Codes for which nothing was written; empty when the output is there. */
  refused: RemapCode[];
}

/** Remaps. With `refused` codes nothing was written. Errors: see {@link ContractPreparer.prepare} and the hasher. */
export async function remapContracts(inputs: readonly string[], options: RemapOptions): Promise<RemapResult> {
  const run = new RemapRun(options);
  try {
    return await run.run(inputs);
  } finally {
    run.close();
  }
}

const REPORTED_COLLISIONS = 100_000;
/** A reference made from an id that is no hex, see {@link ContractPreparer.tableId}; no committed contract has such an id. */
const LOCAL_ID_BYTES = 33;
/** By the last byte of the suffix prefix, less `10` hex. */
const V1_VERSIONS: readonly ContractIdVersion[] = ['V10', 'V11', 'V12'];

/** What was reported once is not reported again. */
const SILENT: PrepareReport = { add: () => undefined, collision: () => undefined, party: () => undefined };

/** A contract whose references are not all known yet. */
interface Pending {
  number: number;
  /** Of its blob, with everything but the references changed. */
  handle: number;
  references: number[];
  changed: boolean;
  version: ContractIdVersion | undefined;
  representativePackageId: string;
}

class RemapRun {
  private readonly options: RemapOptions;
  private readonly table = new ContractTable();
  private readonly pending: Pending[] = [];
  private readonly kept = spill();
  private readonly hasher;
  private readonly view = new BlobView();
  private readonly findings = findingCollector<RemapCode>();
  private readonly collisions: KeyCollision[] = [];
  private readonly prepareOptions: PrepareOptions;
  private readonly texts;
  private readonly parties = new Set<string>();
  /** Old ids as the source writes them, where that is no hex. */
  private readonly sourceIds = new Map<number, string>();
  private readonly changesParties: boolean;
  private contracts = 0;
  private minted = 0;

  constructor(options: RemapOptions) {
    this.options = options;
    this.hasher = hasherFor(options.compiler?.packages);
    this.changesParties = options.map.entries.some((entry) => entry.old !== entry.new);
    this.texts = textParties(
      options.map.entries.filter((entry) => entry.old !== entry.new).map((entry) => entry.old),
    );
    this.prepareOptions = {
      map: options.map,
      compiler: options.compiler,
      mint: options.mint,
      packageMap: options.packageMap,
      synchronizerMap: options.synchronizerMap,
      synchronizerId: options.synchronizerId,
      createdAt: options.createdAt,
      mintVersion: options.mintVersion ?? 'V12',
    };
  }

  close(): void {
    this.kept.close();
  }

  async run(inputs: readonly string[]): Promise<RemapResult> {
    const facts = await this.firstPass(inputs);
    this.resolveReferences();
    this.reportMap();
    const result = this.result(facts);
    if (result.refused.length > 0) return result;
    if (this.options.keepIds === true && result.newIds > 0) throw this.idsWouldChange(result.newIds);
    const outputs = outputPaths(inputs, this.options.output);
    for (const [i, input] of inputs.entries()) {
      result.outputs.push(await this.write(input, outputs[i]));
    }
    result.idMap =
      this.options.idMap ??
      `${inputs.length === 1 ? this.options.output : join(this.options.output, 'remap')}.id-map.csv`;
    if (this.options.output === '-' && this.options.idMap === undefined) result.idMap = null;
    if (result.idMap !== null) await writeIdMap(result.idMap, this.idPairs());
    return result;
  }

  // ---- first pass ----

  private async firstPass(inputs: readonly string[]): Promise<SourceFacts[]> {
    const report: PrepareReport = {
      add: (code, contractId, detail) => {
        if (code === 'UNMAPPED_PARTY' && this.parties.has(detail ?? '')) return;
        this.findings.add(
          code,
          REMAP_CODES[code],
          detail === undefined ? contractId : `${contractId} ${detail}`,
        );
      },
      collision: (collision) => {
        if (this.collisions.length < REPORTED_COLLISIONS) this.collisions.push(collision);
      },
      party: (party) => this.parties.add(party),
    };
    const loud = new ContractPreparer(this.prepareOptions, this.texts, report);
    const silent = new ContractPreparer(this.prepareOptions, textParties([]), SILENT);
    const facts: SourceFacts[] = [];
    let seen = 0;
    for (const input of inputs) {
      facts.push(
        await readSource(
          input,
          (contract) => {
            this.first(contract, loud, silent);
            if (++seen % 1024 === 0) this.options.onProgress?.(1, seen);
          },
          {
            ...this.options.read,
            ...this.shortWay((record) => {
              const done = this.firstShort(record, report);
              if (done && ++seen % 1024 === 0) this.options.onProgress?.(1, seen);
              return done;
            }),
          },
        ),
      );
    }
    for (const { findings } of facts) {
      const inFlight = findings.find(({ code }) => code === 'IN_FLIGHT');
      if (inFlight !== undefined) {
        this.findings.add('IN_FLIGHT', REMAP_CODES.IN_FLIGHT, inFlight.examples[0], inFlight.count);
      }
    }
    return facts;
  }

  /** A contract that another input held already is compared, not reported again. */
  private first(contract: SourceContract, loud: ContractPreparer, silent: ContractPreparer): void {
    const { table } = this;
    const number = this.number(loud.tableId(contract.contractId));
    const known = table.isContract(number);
    const prepared = (known ? silent : loud).prepare(contract);
    const blob = encodeBlob(prepared.instance);
    if (!table.addContract(number, blob)) throw conflict(contract.contractId);
    if (known) return;
    this.contracts++;
    if (prepared.minted) {
      this.minted++;
      this.findings.add('MINTED', REMAP_CODES.MINTED, contract.contractId);
    }
    if (prepared.sourceId !== prepared.tableId) this.sourceIds.set(number, prepared.sourceId);
    if (prepared.changed && !prepared.minted) this.checkAuthentic(contract, prepared);
    if (prepared.references.length > 0) {
      this.pending.push({
        number,
        handle: this.kept.put(blob),
        references: [...new Set(prepared.references)].map((id) => this.number(id)),
        changed: prepared.changed,
        version: prepared.version,
        representativePackageId: prepared.representativePackageId,
      });
    } else if (prepared.changed)
      this.computeId(number, blob, prepared.version, prepared.representativePackageId);
    else table.keepId(number);
  }

  /** Records of format A go the short way, unless packages change or parties merge. */
  private shortWay(onRecord: (record: RecordView) => boolean): Pick<ReadSourceOptions, 'onRecord'> {
    const { longWay, packageMap, map } = this.options;
    if (longWay === true || (packageMap?.size ?? 0) > 0 || map.merged.size > 0) return {};
    return { onRecord };
  }

  private rewriter(pass: 1 | 2, report: PrepareReport): RecordRewriter {
    const { map, synchronizerMap } = this.options;
    const looksInto = this.texts.looksInto;
    return new RecordRewriter({
      party: (party) => {
        const fresh = map.get(party);
        if (fresh === undefined) report.add('UNMAPPED_PARTY', this.contract.contractId, party);
        report.party(party);
        return fresh ?? party;
      },
      reference: (buf, start, end) => {
        const number = this.table.number(buf, start, end);
        if (pass === 1) this.references.push(number);
        return pass === 2 && this.table.stateOf(number) === ID_NEW
          ? this.table.newIdBytes(number)
          : undefined;
      },
      plainText: pass === 1 ? (buf, start, end) => !looksInto(buf, start, end) : () => true,
      synchronizer: (id) => synchronizerMap?.get(id) ?? id,
    });
  }

  /** References of the contract at hand, short way. */
  private references: number[] = [];
  private readonly contract = new ContractView();

  private firstShort(record: RecordView, report: PrepareReport): boolean {
    this.firstRewriter ??= this.rewriter(1, report);
    const rewriter = this.firstRewriter;
    const view = this.contract.of(record);
    if (!view.hasBlob || !rewriter.accepts(record, view.blob)) return false;
    const old = view.blob;
    this.references.length = 0;
    const blob = rewriter.blob(old);
    if (blob === undefined) return false;
    const { table } = this;
    const number = table.number(old.buf, old.contractIdStart, old.contractIdEnd);
    const known = table.isContract(number);
    if (!table.addContract(number, blob)) throw conflict(old.contractId);
    if (known) return true;
    this.contracts++;
    if (rewriter.signatoriesChanged) this.note('SIGNATORIES_CHANGED', old);
    const representative = record.representativePackageId;
    if (rewriter.changed) {
      this.noteVerdict(authenticateWith(this.hasher, old, representative), old, representative);
    }
    const version = V1_VERSIONS[old.buf[old.contractIdStart + 34] - 0x10];
    if (this.references.length > 0) {
      this.pending.push({
        number,
        handle: this.kept.put(blob),
        references: [...new Set(this.references)],
        changed: rewriter.changed,
        version,
        representativePackageId: representative,
      });
    } else if (rewriter.changed) this.computeId(number, blob, version, representative);
    else table.keepId(number);
    return true;
  }

  private firstRewriter: RecordRewriter | undefined;

  private note(code: RemapCode, blob: BlobView): void {
    this.findings.add(code, REMAP_CODES[code], this.findings.wants(code) ? blob.contractId : undefined);
  }

  private secondShort(
    record: RecordView,
    rewriter: RecordRewriter,
    file: SnapshotFile,
    count: (changed: boolean) => void,
  ): boolean {
    const view = this.contract.of(record);
    if (!view.hasBlob || !rewriter.accepts(record, view.blob)) return false;
    const old = view.blob;
    const { table } = this;
    const number = table.number(old.buf, old.contractIdStart, old.contractIdEnd);
    if (table.stateOf(number) !== ID_NEW) {
      if (this.options.synchronizerMap?.has(record.synchronizerId)) return false;
      if (table.stateOf(number) === ID_PENDING) throw changedBetweenPasses(old.contractId);
      file.writeRecord(record);
      count(false);
      return true;
    }
    const newId = table.newIdBytes(number);
    const blob = rewriter.blob(old, newId);
    const frame = blob === undefined ? undefined : rewriter.frame(record, blob, newId);
    if (frame === undefined) return false;
    file.writeFrame(frame);
    count(true);
    return true;
  }

  /** A new id must not launder a contract that was not genuine. */
  private checkAuthentic(contract: SourceContract, { representativePackageId }: Prepared): void {
    const blob = contract.blob ?? oldBlob(contract);
    if (blob === undefined) return;
    const view = this.view.parse(blob);
    const verdict = authenticateWith(this.hasher, view, contract.representativePackageId ?? '');
    this.noteVerdict(verdict, view, representativePackageId);
  }

  private noteVerdict(verdict: Verdict, view: BlobView, representativePackageId: string): void {
    if (verdict.code === 'VALID') return;
    if (verdict.code === 'NEEDS_PACKAGE') {
      throw new AcsError('PACKAGE_MISSING', 'the package of the contract is not among the given DARs', {
        expected: verdict.packageId ?? representativePackageId,
        hint: 'give the DAR that contains it with --dar',
      });
    }
    const why = verdict.reason === undefined ? '' : `: ${verdict.reason}`;
    this.findings.add(
      'NOT_AUTHENTIC',
      REMAP_CODES.NOT_AUTHENTIC,
      this.findings.wants('NOT_AUTHENTIC') ? `${view.contractId} ${verdict.code}${why}` : undefined,
    );
  }

  private computeId(
    number: number,
    blob: Buffer,
    version: ContractIdVersion | undefined,
    representative: string,
  ): void {
    if (version === undefined) throw new AcsError('CONTRACT_ID_VERSION', 'the contract id has no version');
    try {
      const view = this.view.parse(blob);
      const binding = this.hasher.binder.bind(view, representative);
      const method = METHOD_OF_VERSION[version];
      if (binding.problem !== null && (method === 'typed' || view.hasKey)) throw binding.problem;
      const contractHash = this.hasher.contractHash(view, binding, method);
      const keyHash = view.hasKey ? this.hasher.keyHash(view, binding) : undefined;
      this.table.setNewId(number, this.hasher.contractId(view, version, contractHash, keyHash));
    } catch (error) {
      throw error instanceof AcsError
        ? error.locate({ stream: 'blob', contractId: this.sourceIds.get(number) ?? this.table.oldId(number) })
        : error;
    }
  }

  // ---- between the passes ----

  /** New ids of the contracts that refer to others, in the order of the references (Kahn). */
  private resolveReferences(): void {
    const { table, pending } = this;
    const indexOf = new Map<number, number>();
    pending.forEach(({ number }, i) => {
      indexOf.set(number, i);
    });
    const waiting = new Int32Array(pending.length);
    const referrers = new Map<number, number[]>();
    const ready: number[] = [];
    pending.forEach(({ references }, i) => {
      for (const reference of references) {
        if (!indexOf.has(reference)) continue;
        waiting[i]++;
        const known = referrers.get(reference);
        if (known === undefined) referrers.set(reference, [i]);
        else known.push(i);
      }
      if (waiting[i] === 0) ready.push(i);
    });
    let done = 0;
    for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
      done++;
      this.resolveOne(pending[next]);
      for (const i of referrers.get(pending[next].number) ?? []) if (--waiting[i] === 0) ready.push(i);
    }
    if (done < pending.length) {
      const stuck = pending.find((_, i) => waiting[i] > 0) as Pending;
      throw new AcsError(
        'REFERENCE_CYCLE',
        'contracts refer to each other in a circle: the input is corrupt',
        {
          contractId: table.oldId(stuck.number),
          found: `${pending.length - done} contracts`,
        },
      );
    }
  }

  private resolveOne(contract: Pending): void {
    const { table } = this;
    const { number, references } = contract;
    const dangling = references.filter((reference) => !table.isContract(reference));
    const moved = references.some((reference) => table.stateOf(reference) === ID_NEW);
    for (const reference of dangling) {
      const id = table.oldId(reference);
      if (table.oldLength(reference) === LOCAL_ID_BYTES)
        throw unresolvable(this.sourceIds.get(number) ?? table.oldId(number));
      if (contract.changed || moved || this.changesParties) {
        this.findings.add(
          'DANGLING_REFERENCE',
          REMAP_CODES.DANGLING_REFERENCE,
          `${table.oldId(number)} → ${id}`,
        );
      }
    }
    if (!contract.changed && !moved) {
      table.keepId(number);
      return;
    }
    let blob = this.kept.get(contract.handle);
    if (moved) blob = this.withNewReferences(blob);
    this.computeId(number, blob, contract.version, contract.representativePackageId);
  }

  /** The blob with its references resolved; parties are changed already. */
  private withNewReferences(blob: Buffer): Buffer {
    this.referenceRewriter ??= new RecordRewriter({
      party: (party) => party,
      reference: (buf, start, end) => {
        const number = this.table.number(buf, start, end);
        return this.table.stateOf(number) === ID_NEW ? this.table.newIdBytes(number) : undefined;
      },
      plainText: () => true,
      synchronizer: (id) => id,
    });
    const view = this.view.parse(blob);
    const short =
      this.options.longWay === true || view.hasKey ? undefined : this.referenceRewriter.blob(view);
    if (short !== undefined) return short;
    const instance = decodeBlob(blob);
    const remapper = new ValueRemapper({
      party: (party) => party,
      contractId: (id) => this.resolvedId(id),
      keyCollision: () => undefined,
    });
    const plan = this.planOf(instance.templateId);
    const argument = decodeValue(instance.createArgument);
    return encodeBlob({ ...instance, createArgument: encodeValue(remapper.remap(argument, plan)) });
  }

  private referenceRewriter: RecordRewriter | undefined;

  private planOf(template: { packageId: string; moduleName: string; entityName: string }) {
    const { compiler } = this.options;
    if (compiler?.packages.get(template.packageId) === undefined) return undefined;
    return compiler.template(template.packageId, `${template.moduleName}:${template.entityName}`).arg;
  }

  /** `id` is hex. */
  private number(id: string): number {
    return this.table.number(Buffer.from(id, 'hex'));
  }

  private resolvedId(tableId: string): string {
    const number = this.number(tableId);
    return this.table.stateOf(number) === ID_PENDING ? tableId : this.table.newId(number);
  }

  private reportMap(): void {
    const { map } = this.options;
    const unused = map.entries.filter((entry) => !this.parties.has(entry.old));
    for (const entry of unused) this.findings.add('UNUSED_MAPPING', REMAP_CODES.UNUSED_MAPPING, entry.old);
    for (const entry of map.entries) {
      if (this.parties.has(entry.old) && partyIdProblem(entry.new) !== undefined) {
        this.findings.add('NOT_A_CANTON_PARTY', REMAP_CODES.NOT_A_CANTON_PARTY, entry.new);
      }
    }
    // Only parties that occur count; one that stays as it is can be merged with too.
    const byNew = new Map<string, string[]>();
    for (const party of this.parties) {
      const fresh = map.get(party) ?? party;
      const olds = byNew.get(fresh);
      if (olds === undefined) byNew.set(fresh, [party]);
      else olds.push(party);
    }
    for (const [fresh, olds] of byNew) {
      if (olds.length > 1) {
        this.findings.add(
          'MERGED_PARTIES',
          REMAP_CODES.MERGED_PARTIES,
          `${olds.sort().join(', ')} → ${fresh}`,
        );
      }
    }
  }

  private idsWouldChange(count: number): AcsError {
    let example = '';
    for (const [old] of this.idPairs()) {
      example = old;
      break;
    }
    return new AcsError('IDS_WOULD_CHANGE', `${count} contract ids cannot be kept`, {
      contractId: example,
      expected: 'contracts with an importable id whose content stays as it is',
      hint: 'leave out --keep-ids: an id is a hash of the content',
    });
  }

  private result(inputs: SourceFacts[]): RemapResult {
    const { table } = this;
    const versions = new Map<string, IdVersionReport>();
    let newIds = 0;
    for (let number = 0; number < table.size; number++) {
      if (!table.isContract(number)) continue;
      if (table.stateOf(number) === ID_NEW) newIds++;
      const verdict = importability(table.newId(number));
      const known = versions.get(verdict.label);
      if (known === undefined) versions.set(verdict.label, { ...verdict, contracts: 1 });
      else known.contracts++;
    }
    const allowed = this.options.allow ?? new Set();
    const cut = commonCutFinding(inputs);
    const findings = this.findings.list();
    return {
      inputs,
      outputs: [],
      contracts: this.contracts,
      newIds,
      minted: this.minted,
      referring: this.pending.length,
      idMap: null,
      idVersions: [...versions.values()].sort((a, b) => (a.label < b.label ? -1 : 1)),
      findings,
      sourceFindings: cut === undefined ? [] : [cut],
      unmappedParties: [...this.parties].filter((party) => this.options.map.get(party) === undefined).sort(),
      collisions: this.collisions,
      refused: REFUSED_BY_DEFAULT.filter(
        (code) => !allowed.has(code) && findings.some((f) => f.code === code),
      ),
    };
  }

  // ---- second pass ----

  private async write(input: string, output: string): Promise<RemapResult['outputs'][number]> {
    const preparer = new ContractPreparer(this.prepareOptions, textParties([]), SILENT, (id) =>
      this.resolvedId(id),
    );
    const file = await createSnapshotFile(output, this.options.file);
    let contracts = 0;
    let changed = 0;
    try {
      const counted = (isChanged: boolean): void => {
        contracts++;
        if (isChanged) changed++;
        if (contracts % 1024 === 0) this.options.onProgress?.(2, contracts);
      };
      const rewriter = this.rewriter(2, SILENT);
      await readSource(
        input,
        (contract) => counted(this.second(contract, preparer, (frame) => file.writeFrame(frame))),
        {
          ...this.options.read,
          ...this.shortWay((record) => this.secondShort(record, rewriter, file, counted)),
          afterChunk: () => file.ready(),
        },
      );
      await file.finish();
    } catch (error) {
      await file.abort();
      throw error;
    }
    return { input, output, contracts, changed };
  }

  /** Writes one contract; true when its id or content changed. */
  private second(
    contract: SourceContract,
    preparer: ContractPreparer,
    write: (frame: Buffer) => void,
  ): boolean {
    const prepared = preparer.prepare(contract);
    const { table } = this;
    const number = this.number(prepared.tableId);
    const state = table.stateOf(number);
    if (state === ID_PENDING) throw changedBetweenPasses(contract.contractId);
    const counter = contract.reassignmentCounter ?? 0n;
    const isNew = state === ID_NEW;
    if (!isNew && contract.event !== undefined) {
      write(encodeFrame(contract.event, prepared.synchronizerId, counter));
      return false;
    }
    const { instance } = prepared;
    instance.contractId = table.newId(number);
    if (instance.key !== undefined && (isNew || contract.key?.hash === undefined)) {
      const view = this.view.parse(encodeBlob(instance));
      const binding = this.hasher.binder.bind(view, prepared.representativePackageId);
      instance.key.hash = this.hasher.keyHash(view, binding);
    }
    write(encodeFrame(this.event(contract, prepared), prepared.synchronizerId, counter));
    return isNew;
  }

  private event(contract: SourceContract, prepared: Prepared): Buffer {
    const { instance } = prepared;
    return rewriteEvent(
      contract,
      prepared,
      instance.contractId,
      encodeBlob(instance),
      this.options.compiler,
      (code) => this.findings.add(code, REMAP_CODES[code], contract.contractId),
    );
  }

  /** Changed ids, ascending by the old one. */
  private *idPairs(): Generator<readonly [string, string]> {
    const { table } = this;
    const numbers: number[] = [];
    for (let number = 0; number < table.size; number++) {
      if (table.isContract(number) && table.stateOf(number) === ID_NEW) numbers.push(number);
    }
    if (this.sourceIds.size === 0) {
      table.sortByOldId(numbers);
      for (const number of numbers) yield [table.oldId(number), table.newId(number)];
      return;
    }
    const pairs = numbers.map(
      (number) => [this.sourceIds.get(number) ?? table.oldId(number), number] as const,
    );
    pairs.sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [old, number] of pairs) yield [old, table.newId(number)];
  }
}

/** Inputs are read twice. */
export function refuseStandardInput(inputs: readonly string[]): void {
  if (inputs.includes('-')) {
    throw usageError('standard input cannot be read twice', 'save it to a file first');
  }
}

/** One input: the path itself. Several: files in a folder, named like the inputs. */
function outputPaths(inputs: readonly string[], output: string): string[] {
  if (inputs.length === 1) return [output];
  const names = inputs.map(
    (input) =>
      `${basename(input).replace(/(\.acs)?(\.gz|\.json|\.jsonl|\.bin|\.txt|\.zst|\.zstd)?$/, '')}.acs.gz`,
  );
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined) {
    throw new AcsError('OUTPUT_NAMES_CLASH', 'two inputs would be written to the same file', {
      found: repeated,
      hint: 'rename one of the inputs',
      exitCode: 2,
    });
  }
  return names.map((name) => join(output, name));
}

/** The blob as it was before the remap, for sources that have its parts only (format B). */
function oldBlob(contract: SourceContract): Buffer | undefined {
  const completed = completeContract(contract);
  if (!('frame' in completed)) return undefined;
  const record = new RecordView();
  let bodyStart = 0;
  while (completed.frame[bodyStart++] >= 0x80);
  return record.parse(completed.frame, 0, bodyStart, completed.frame.length, 0, 0).createdEventBlob;
}

function conflict(contractId: string): AcsError {
  return new AcsError('CONTENT_CONFLICT', 'two records hold the same contract with different content', {
    contractId,
    hint: 'find out which one is genuine with `acs verify` before going on',
  });
}

function unresolvable(contractId: string): AcsError {
  return new AcsError(
    'REFERENCE_UNRESOLVABLE',
    'the contract refers to one that is in no input and has no Canton id',
    {
      contractId,
      expected: 'every contract that is referred to, since only then its new id is known',
      hint: 'give the dump that holds it as a further input',
    },
  );
}

function changedBetweenPasses(contractId: string): AcsError {
  return new AcsError('INPUT_CHANGED', 'the input changed while it was read', { contractId });
}
