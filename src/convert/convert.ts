/**
 * `acs convert`: sources of any form into one snapshot file of format A, or into neutral JSON lines. Lossless where the
 * source has everything; what it lacks is counted by name and nothing is made up (legacy-import spec, section 1.1).
 */
import { createHash } from 'node:crypto';
import { createSnapshotFile, type SnapshotFileOptions } from '../contract/snapshotFile.js';
import { keyHashOf } from '../hash/computeContractId.js';
import { createAtomicFile } from '../io/atomicFile.js';
import { AcsError } from '../io/error.js';
import type { ByteInput } from '../io/input.js';
import { refuseInputAsOutput } from '../io/inputAsOutput.js';
import { Interner } from '../wire/interner.js';
import { commonCutFinding } from './commonCut.js';
import {
  type CompletionOptions,
  completeContract,
  MISSING_PARTS,
  type MissingPart,
} from './completeContract.js';
import { type Finding, findingCollector } from './findingCollector.js';
import { importability, LF1_REASON } from './importability.js';
import { neutralJson } from './neutralJson.js';
import { OldRecordTranscoder } from './oldRecordTranscoder.js';
import { readSource, type SourceFacts } from './readSource.js';
import type { SourceContract, SourceFinding, SourceFormat } from './sourceContract.js';
import type { ReadSourceOptions } from './sourceReading.js';

export interface ConvertOptions extends ReadSourceOptions, CompletionOptions {
  readonly output: string;
  readonly to: 'snapshot' | 'jsonl';
  /** Write the contracts that are complete although others are not. */
  readonly allowIncomplete?: boolean;
  readonly file?: SnapshotFileOptions;
  readonly onProgress?: (contracts: number) => void;
  /** Takes the long way for every contract. For tests. */
  readonly longWay?: boolean;
}

export interface ConvertResult {
  inputs: SourceFacts[];
  output: string;
  to: 'snapshot' | 'jsonl';
  contracts: number;
  written: number;
  /** By missing part: contracts that were left out (or only counted, for JSON lines). */
  missing: Finding<MissingPart>[];
  /** By reason: contracts that were written but that Canton 3 will not import. */
  notImportable: Finding<string>[];
  /** About the inputs together. */
  findings: SourceFinding[];
  /** The same contract (id and synchronizer) in several inputs, or in several answers of one; written once when equal. */
  duplicates: number;
}

/**
 * Converts. With `to: 'snapshot'` an incomplete contract is an error `CONVERT_INCOMPLETE` unless `allowIncomplete`;
 * nothing is written then.
 */
export async function convertSources(
  inputs: readonly ByteInput[],
  given: ConvertOptions,
): Promise<ConvertResult> {
  const packages = given.compiler?.packages;
  const options: ConvertOptions =
    packages === undefined ? given : { keyHash: (instance) => keyHashOf(instance, packages), ...given };
  const result: ConvertResult = {
    inputs: [],
    output: options.output,
    to: options.to,
    contracts: 0,
    written: 0,
    missing: [],
    notImportable: [],
    findings: [],
    duplicates: 0,
  };
  await refuseInputAsOutput(inputs, options.output);
  const missing = findingCollector<MissingPart>();
  const notImportable = findingCollector<string>();
  const sink = options.to === 'jsonl' ? await linesSink(options.output) : await snapshotSink(options);
  // One snapshot of a participant holds a contract once; answers put together in one file may not.
  const repeated = repeatedContracts();
  const mayRepeat = (format: SourceFormat): boolean => inputs.length > 1 || !SNAPSHOT_FORMATS.has(format);

  function take(contract: SourceContract): void {
    result.contracts++;
    if (result.contracts % 1024 === 0) options.onProgress?.(result.contracts);
    if (options.to === 'jsonl') {
      for (const part of incompleteParts(contract, options))
        missing.add(part, MISSING_PARTS[part], contract.contractId);
      sink.write(Buffer.from(`${neutralJson(contract)}\n`));
      result.written++;
      note(contract);
      return;
    }
    const completed = completeContract(contract, options);
    if ('missing' in completed) {
      for (const part of completed.missing) missing.add(part, MISSING_PARTS[part], contract.contractId);
      return;
    }
    if (mayRepeat(contract.format) && repeated(contract, completed.frame)) {
      result.duplicates++;
      return;
    }
    sink.write(completed.frame);
    result.written++;
    note(contract);
  }

  /** Ordinary records of format B need no objects; their ids are importable. */
  const transcoder = new OldRecordTranscoder();
  const onOldRecord = (buf: Buffer, start: number, end: number): boolean => {
    const frame = transcoder.frame(buf, start, end);
    if (frame === undefined) return false;
    result.contracts++;
    result.written++;
    if (result.contracts % 1024 === 0) options.onProgress?.(result.contracts);
    sink.write(frame);
    return true;
  };

  function note(contract: SourceContract): void {
    const verdict = importability(contract.contractId);
    if (!verdict.validation) notImportable.add(verdict.label, verdict.reason, contract.contractId);
    if (contract.lfLine === '1') notImportable.add('lf1', LF1_REASON, contract.contractId);
  }

  try {
    for (const input of inputs) {
      result.inputs.push(
        await readSource(input, take, {
          ...options,
          ...(inputs.length === 1 && options.to === 'snapshot' && options.longWay !== true
            ? { onOldRecord }
            : {}),
          afterChunk: async () => {
            await sink.ready();
            await options.afterChunk?.();
          },
        }),
      );
    }
    const cut = commonCutFinding(result.inputs);
    if (cut !== undefined) result.findings.push(cut);
    result.missing = missing.list();
    result.notImportable = notImportable.list();
    if (options.to === 'snapshot' && result.missing.length > 0 && options.allowIncomplete !== true) {
      throw incomplete(result);
    }
    await sink.finish();
    return result;
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

function incompleteParts(contract: SourceContract, options: ConvertOptions): readonly MissingPart[] {
  if (contract.blob !== undefined) return [];
  const completed = completeContract(contract, options);
  return 'missing' in completed ? completed.missing : [];
}

function incomplete(result: ConvertResult): AcsError {
  const parts = result.missing.map(({ code, count, message, examples }) => {
    const example = examples.length > 0 ? ` (e.g. ${examples[0]})` : '';
    return `${count} lack ${code}${example}: ${message}`;
  });
  return new AcsError(
    'CONVERT_INCOMPLETE',
    `${result.contracts - result.written - result.duplicates} of ${result.contracts} contracts cannot become records of format A`,
    {
      expected: 'contracts with id, salt, types, package name, creation time and synchronizer',
      found: parts.join('; '),
      hint: 'supply what is missing, mint new ids with `acs remap --seed`, keep everything as JSON lines with --to jsonl, or write the complete ones with --allow-incomplete',
    },
  );
}

const SNAPSHOT_FORMATS: ReadonlySet<SourceFormat> = new Set(['A', 'B', 'C', 'D', 'E']);

/** True for a contract that came before on the same synchronizer; different content or counter is an error. */
function repeatedContracts(): (contract: SourceContract, frame: Buffer) => boolean {
  const ids = new Interner(MAX_REMEMBERED);
  const digests: number[] = [];
  return (contract, frame) => {
    const key = Buffer.from(`${contract.contractId} ${contract.synchronizerId ?? ''}`);
    const id = ids.id(key, 0, key.length);
    const content = createHash('sha256')
      .update(contract.blob ?? frame)
      .update(`${contract.reassignmentCounter ?? 0n}`)
      .digest();
    const digest = content.readUIntBE(0, 6);
    if (id === digests.length) {
      digests.push(digest);
      return false;
    }
    if (digests[id] !== digest) {
      throw new AcsError('CONTENT_CONFLICT', 'the same contract occurs with different content or counter', {
        contractId: contract.contractId,
        hint: 'find out which one is genuine with `acs verify` before going on',
      });
    }
    return true;
  };
}

/** More contracts than any file holds. */
const MAX_REMEMBERED = 2 ** 30;

interface Sink {
  write(bytes: Buffer): void;
  ready(): Promise<void>;
  finish(): Promise<unknown>;
  abort(): Promise<void>;
}

async function snapshotSink(options: ConvertOptions): Promise<Sink> {
  const file = await createSnapshotFile(options.output, options.file);
  return {
    write: (frame) => file.writeFrame(frame),
    ready: () => file.ready(),
    finish: () => file.finish(),
    abort: () => file.abort(),
  };
}

async function linesSink(path: string): Promise<Sink> {
  const file = await createAtomicFile(path);
  let pending: Buffer[] = [];
  const flush = async (): Promise<void> => {
    const bytes = Buffer.concat(pending);
    pending = [];
    if (bytes.length > 0) await file.write(bytes);
  };
  return {
    write: (line) => void pending.push(line),
    ready: flush,
    finish: async () => {
      await flush();
      await file.commit();
    },
    abort: () => file.abort(),
  };
}
