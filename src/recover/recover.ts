/**
 * `acs recover`: everything that can be saved from a damaged snapshot. The file is surveyed first (which stretches of
 * compressed data are readable, what its checksums say), then the readable stretches are searched for records. Only
 * what the bytes prove is kept; what is lost is listed with its place.
 */
import { readFile } from 'node:fs/promises';
import { ContractView } from '../contract/contractView.js';
import { type Manifest, manifestPath, parseManifest } from '../contract/manifest.js';
import { createSnapshotFile, type SnapshotFileOptions } from '../contract/snapshotFile.js';
import { AcsError } from '../io/error.js';
import type { ByteInput } from '../io/input.js';
import { refuseInputAsOutput } from '../io/inputAsOutput.js';
import { detectStored, FORMAT_NAMES } from '../snapshot/format.js';
import type { RecordView } from '../snapshot/record.js';
import { DEFAULT_MAX_FRAME_BYTES } from '../wire/frames.js';
import { DEFAULT_MAX_RATIO, RATIO_GRACE_BYTES } from '../wire/inflate.js';
import { type ByteSource, openByteSource } from './byteSource.js';
import { frameRecovery, type Trust } from './frameRecovery.js';
import { distrust, type GzipDamage, type GzipSurvey, type SurveyLimits, surveyGzip } from './gzipSurvey.js';
import { surveyPieces } from './pieceSurvey.js';
import { readStretches, recordsShowDamage } from './stretchReader.js';

export interface RecoverOptions {
  write?: SnapshotFileOptions;
  maxRecordBytes?: number;
  /** Inflated / compressed beyond which the file is refused as a bomb. */
  maxRatio?: number;
  /** False ignores a manifest beside the input. Default true. */
  useManifest?: boolean;
  onProgress?: (records: number) => void;
}

/** A place where something is missing. */
export interface Loss {
  /** `compressed`: bytes of the file that cannot be inflated. `inflated`: bytes that belong to no record kept. */
  level: 'compressed' | 'inflated';
  /** Offset in the file, or in the inflated bytes of the stretch that begins at `stretch`. */
  start: number;
  bytes: number;
  /** File offset of the readable stretch that `start` counts from; only for `inflated`. */
  stretch?: number;
  /** Records lost here, null when the bytes do not tell. */
  records: number | null;
  /** Inflated bytes lost here, null when the bytes do not tell. */
  inflatedBytes: number | null;
  code: string;
  message: string;
  contractId?: string;
}

export interface Recovered {
  input: string;
  /** Contracts saved; in-flight records are counted apart. */
  contracts: number;
  inFlight: number;
  /** Contracts by how far their bytes can be relied on. */
  trust: Record<Trust, number>;
  /** Records saved from gzip members behind the first, which Canton would have ignored. */
  laterMembers: { members: number; records: number };
  /** What is wrong with the container. */
  damage: GzipDamage[];
  losses: Loss[];
  lossCount: number;
  /** Totals over all losses; null when some part of the loss cannot be known. */
  lostRecords: number | null;
  lostInflatedBytes: number | null;
  /** True when nothing is missing and nothing contradicts the content. */
  whole: boolean;
  /** `none`, `used`, or why it was not. */
  manifest: string;
}

export interface RecoverResult extends Recovered {
  output: string;
  compressedBytes: number;
  inflatedBytes: number;
}

const MAX_LISTED = 1000;

/**
 * Throws `RECOVER_NOTHING` when not one record can be saved (an intact empty snapshot is not such a case) and
 * `FORMAT_OTHER` for files of other formats; then nothing is written. In-flight records are left out, as an import wants.
 */
export async function recoverSnapshot(
  input: ByteInput,
  output: string,
  options: RecoverOptions = {},
): Promise<RecoverResult> {
  await refuseInputAsOutput([input], output);
  const file = await createSnapshotFile(output, options.write);
  try {
    const recovered = await recoverRecords(
      input,
      (record) => file.writeRecord(record),
      options,
      () => file.ready(),
    );
    const written = await file.finish();
    return {
      ...recovered,
      output,
      compressedBytes: written.compressedBytes,
      inflatedBytes: written.inflatedBytes,
    };
  } catch (error) {
    await file.abort();
    throw error;
  }
}

/** The records that can be saved, without writing them anywhere. `visit` gets no in-flight records. */
export async function recoverRecords(
  input: ByteInput,
  visit: (record: RecordView, trust: Trust) => void,
  options: RecoverOptions = {},
  ready: () => Promise<void> = async () => undefined,
): Promise<Recovered> {
  const source = await openByteSource(input);
  try {
    return await recover(source, input, visit, options, ready);
  } catch (error) {
    throw error instanceof AcsError ? error.locate({ file: source.name }) : error;
  } finally {
    await source.close();
  }
}

async function recover(
  source: ByteSource,
  input: ByteInput,
  visit: (record: RecordView, trust: Trust) => void,
  options: RecoverOptions,
  ready: () => Promise<void>,
): Promise<Recovered> {
  const maxRecordBytes = options.maxRecordBytes ?? DEFAULT_MAX_FRAME_BYTES;
  const format = detectStored(await source.read(0, 64 * 1024));
  if (source.size === 0) throw nothing('the file is empty', 'the export failed or was cut; run it again');
  if (format !== 'gzip' && format !== 'unknown' && format !== 'A') {
    throw new AcsError('FORMAT_OTHER', `the input is in another format: ${FORMAT_NAMES[format]}`, {
      byteOffset: 0,
      expected: FORMAT_NAMES.A,
      found: FORMAT_NAMES[format],
    });
  }
  const result: Recovered = {
    input: source.name,
    contracts: 0,
    inFlight: 0,
    trust: { checked: 0, unchecked: 0, suspect: 0 },
    laterMembers: { members: 0, records: 0 },
    damage: [],
    losses: [],
    lossCount: 0,
    lostRecords: 0,
    lostInflatedBytes: 0,
    whole: false,
    manifest: 'none',
  };
  const manifest = options.useManifest === false ? undefined : await manifestOf(input, result);
  const survey =
    format === 'A'
      ? undefined
      : await surveyOf(source, manifest, result, {
          maxRecordBytes,
          guard: ratioGuard(source, options.maxRatio ?? DEFAULT_MAX_RATIO),
        });
  let laterMember = false;
  let stretchStart = 0;
  const view = new ContractView();
  const frames = frameRecovery({
    maxRecordBytes,
    keep(record, trust) {
      if (record.inFlight) {
        result.inFlight++;
        return;
      }
      result.contracts++;
      result.trust[trust]++;
      if (laterMember) result.laterMembers.records++;
      visit(view.of(record).record, trust);
    },
    lost: (loss) =>
      addLoss(result, {
        level: 'inflated',
        stretch: stretchStart,
        start: loss.start,
        bytes: loss.bytes,
        records: loss.records ?? null,
        inflatedBytes: loss.bytes,
        code: loss.code,
        message: loss.message,
        ...(loss.contractId === undefined ? {} : { contractId: loss.contractId }),
      }),
  });
  const chunk = async (): Promise<void> => {
    options.onProgress?.(result.contracts);
    await ready();
  };
  if (survey === undefined) {
    result.damage.push({
      code: 'GZIP_NOT_GZIP',
      message: 'the snapshot is not compressed',
      byteOffset: 0,
    });
  }
  const unproven = survey === undefined || survey.stretches.some((stretch) => stretch.trust === 'unchecked');
  const damaged = unproven && (await recordsShowDamage(source, survey, { maxRecordBytes, chunk }));
  if (damaged && survey !== undefined) distrust(survey);
  await readStretches(source, survey, frames, {
    plainTrust: damaged ? 'suspect' : 'unchecked',
    begin(stretch) {
      laterMember = stretch.laterMember;
      if (!stretch.continues) stretchStart = stretch.start;
    },
    chunk,
  });
  if (survey !== undefined) {
    result.laterMembers.members = Math.max(0, survey.members - 1);
    finishLosses(result, survey);
  }
  if (manifest !== undefined && result.manifest === 'used') compareWithManifest(result, manifest);
  const intactEmpty = survey?.stretches.length === 1 && survey.damage.length === 0 && result.lossCount === 0;
  if (result.contracts === 0 && result.inFlight === 0 && !intactEmpty) {
    const [first] = result.damage;
    throw nothing(first === undefined ? 'no record was found' : first.message, undefined);
  }
  result.whole = result.lossCount === 0 && survey?.contradicted !== true && survey?.cutOff !== true;
  return result;
}

async function surveyOf(
  source: ByteSource,
  manifest: Manifest | undefined,
  result: Recovered,
  limits: SurveyLimits,
): Promise<GzipSurvey> {
  if (manifest !== undefined) {
    const byPieces = await surveyPieces(source, manifest);
    if (byPieces !== undefined) {
      result.manifest = 'used';
      result.damage = byPieces.damage;
      return byPieces;
    }
    result.manifest = 'not used: its piece index does not fit the file';
  }
  const survey = await surveyGzip(source, limits);
  result.damage = survey.damage;
  return survey;
}

/** Throws for a file that inflates more than any snapshot does. */
function ratioGuard(source: ByteSource, maxRatio: number): (inflatedBytes: number) => void {
  const limit = Math.max(RATIO_GRACE_BYTES, maxRatio * source.size);
  return (inflatedBytes) => {
    if (inflatedBytes <= limit) return;
    throw new AcsError('GZIP_BOMB', 'the file inflates more than any snapshot does', {
      expected: `at most ${maxRatio} times its size`,
      found: `more than ${limit} bytes from ${source.size}`,
      hint: 'if the file is genuine, raise the limit with --max-ratio',
    });
  };
}

function addLoss(result: Recovered, loss: Loss): void {
  result.lossCount++;
  if (result.losses.length < MAX_LISTED) result.losses.push(loss);
  result.lostRecords = plus(result.lostRecords, loss.records);
  result.lostInflatedBytes = plus(result.lostInflatedBytes, loss.inflatedBytes);
}

function plus(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

function finishLosses(result: Recovered, survey: GzipSurvey): void {
  for (const range of survey.lost) {
    addLoss(result, {
      level: 'compressed',
      start: range.start,
      bytes: range.end - range.start,
      records: null,
      inflatedBytes: range.inflatedBytes ?? null,
      code: 'GZIP_UNREADABLE',
      message:
        range.end > range.start
          ? 'compressed bytes from which nothing can be inflated'
          : 'a piece inflates to less than the manifest says',
    });
  }
  if (survey.cutOff && result.manifest !== 'used') {
    // How much is missing behind the end cannot be known.
    result.lostRecords = null;
    result.lostInflatedBytes = null;
  }
}

/** The manifest knows how much there was. */
function compareWithManifest(result: Recovered, manifest: Manifest): void {
  const missing = manifest.contracts + manifest.inFlight - result.contracts - result.inFlight;
  result.lostRecords = missing;
  if (missing > 0 && result.lossCount === 0) {
    addLoss(result, {
      level: 'inflated',
      start: 0,
      bytes: 0,
      records: missing,
      inflatedBytes: null,
      code: 'MANIFEST_COUNT',
      message: 'the manifest counts more contracts than were found',
    });
    result.lostRecords = missing;
  }
}

async function manifestOf(input: ByteInput, result: Recovered): Promise<Manifest | undefined> {
  if (typeof input !== 'string' || input === '-') return undefined;
  const path = manifestPath(input);
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return parseManifest(text, path);
  } catch (error) {
    if (!(error instanceof AcsError)) throw error;
    result.manifest = `not used: ${error.message}`;
    return undefined;
  }
}

function nothing(why: string, hint: string | undefined): AcsError {
  return new AcsError('RECOVER_NOTHING', `not one record can be saved: ${why}`, { byteOffset: 0, hint });
}
