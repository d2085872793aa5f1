import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageStore } from '../../src/dar/packageStore.js';
import type { RepresentativePackageOverrides } from '../../src/dar/representativePackage.js';
import { contractPreflight } from '../../src/inspect/contractPreflight.js';
import { type PreflightReport, preflightSnapshot } from '../../src/inspect/preflight.js';
import { AcsError } from '../../src/io/error.js';
import { encodeRecord } from '../../src/snapshot/encodeRecord.js';
import { RecordView } from '../../src/snapshot/record.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { runCommand } from '../cli/runCommand.js';
import { fixture, jsonLines } from '../fixtures.js';
import { CORPUS_DARS, corpusPackages } from '../hash/corpusPackages.js';

/** One recorded ImportAcs call whose upload was recorded whole (an extract of corpus/live and corpus/live2). */
interface Attempt {
  source: 'live' | 'live2';
  name: string;
  participant: number;
  mode: string;
  /** Empty in live2: that of the first record. */
  synchronizerId: string;
  /** Base64. */
  file: string;
  added: number;
  error: string;
  overrides?: {
    packageNameOverride?: Record<string, string>;
    contractOverride?: Record<string, string>;
  };
  excluded?: string[];
}

const SYNC = 'acme-sync::12201c87e79b88141e2e127c4224aa3ac5153b839ba0cb400d29e99a92c088f7c55b';
const packages = await corpusPackages();
const known = new Set(packages.ids());
const attempts = jsonLines<Attempt>(fixture('live/import-attempts.jsonl.gz'));

async function predict(attempt: Attempt): Promise<PreflightReport> {
  const dir = mkdtempSync(join(tmpdir(), 'acskit-preflight-'));
  const file = join(dir, 'upload.acs.gz');
  try {
    writeFileSync(file, Buffer.from(attempt.file, 'base64'));
    return await preflightSnapshot(file, {
      synchronizerId: attempt.synchronizerId || (await firstSynchronizer(file)),
      packages,
      knownPackages: known,
      multiSynchronizer: attempt.participant === 3,
      ...(attempt.overrides === undefined ? {} : { overrides: overridesOf(attempt.overrides) }),
      ...(attempt.excluded === undefined ? {} : { excludedParties: new Set(attempt.excluded) }),
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function overridesOf(recorded: NonNullable<Attempt['overrides']>): RepresentativePackageOverrides {
  return {
    packageName: new Map(Object.entries(recorded.packageNameOverride ?? {})),
    contract: new Map(Object.entries(recorded.contractOverride ?? {})),
  };
}

async function firstSynchronizer(file: string): Promise<string> {
  let id = 'none::1220';
  try {
    await scanSnapshot(
      file,
      (record) => {
        id = record.synchronizerId;
        return false;
      },
      { members: 'all' },
    );
  } catch (error) {
    if (!(error instanceof AcsError)) throw error;
  }
  return id;
}

/** Refused for the request or the participant's state, before the file is looked at. */
const REQUEST_FAULTS = [
  'connected/whole-own-export',
  'no-message',
  'one-empty-message',
  'no-import-mode',
  'import-mode-unspecified',
  'no-synchronizer-id',
];

/** Decided by what the participant's contract store held from before; named in `notKnown`. */
const CONTRACT_STORE_DECIDED = ['mode-accept/tampered-argument'];

describe('recorded imports', () => {
  it('are predicted, every one whose file is recorded', async () => {
    const wrong: string[] = [];
    const seen = { imported: 0, refused: 0, notJudged: 0 };
    for (const attempt of attempts) {
      const label = `${attempt.source}/${attempt.participant} ${attempt.mode} ${attempt.name}`;
      if (REQUEST_FAULTS.includes(attempt.name)) {
        seen.notJudged++;
        continue;
      }
      if (attempt.synchronizerId === 'garbage') {
        await expect(predict(attempt)).rejects.toThrow(
          expect.objectContaining({ code: 'USAGE' }) as AcsError,
        );
        seen.notJudged++;
        continue;
      }
      const report = await predict(attempt);
      const file = attempt.mode === 'accept' ? report.accept : report.validation;
      const refused = attempt.error !== '';
      if (CONTRACT_STORE_DECIDED.includes(attempt.name)) {
        expect(attempt.error).toMatch(/already exists in/);
        expect(file.outcome).toBe('imported');
        expect(report.notKnown[0]).toMatch(/contract store holds other bytes/);
        seen.notJudged++;
        continue;
      }
      if (refused !== (file.outcome === 'refused') || file.outcome === 'unknown') {
        wrong.push(`${label}: ${attempt.error || 'imported'} ≠ ${JSON.stringify(file)}`);
      }
      // What was active before is not added again.
      if (!refused && attempt.added > file.contracts)
        wrong.push(`${label}: ${attempt.added} > ${file.contracts}`);
      if (attempt.source === 'live2' && !refused && attempt.added !== file.contracts) {
        wrong.push(`${label}: ${attempt.added} added, ${file.contracts} predicted`);
      }
      seen[refused ? 'refused' : 'imported']++;
    }
    expect(wrong).toEqual([]);
    expect(seen).toEqual({ imported: 71, refused: 74, notJudged: 16 });
  });
});

describe('contracts one by one', () => {
  interface OnParticipant {
    file?: string;
    name: string;
    participant: string;
    message: string;
  }
  interface Blob {
    name: string;
    created_event_blob?: string;
    representative_package_id?: string;
    verdict?: string;
  }

  /** Refused by what only the Daml engine computes: `notKnown` says so. */
  const ENGINE_ONLY =
    /re-suffixed\/(ensures-violated-amount-0|signatory-not-from-template|stakeholder-missing|stakeholder-extra)$/;
  /** Refused because the contract store held the id with other bytes. */
  const STORE = /exists in synchronizer, but does not match|differs from contract/;

  it('get the recorded outcome of a running participant', () => {
    const blobs = new Map<string, Blob>();
    for (const file of ['verdicts', 'verdicts-2']) {
      for (const line of jsonLines<Blob>(fixture(`contract-ids/${file}.jsonl.gz`))) {
        blobs.set(`${file} ${line.name}`, line);
      }
    }
    const judge = contractPreflight({ synchronizerId: SYNC, packages, store: packageStore(packages) });
    const wrong: string[] = [];
    let judged = 0;
    for (const file of ['verdicts-on-participant', 'verdicts-2-on-participant']) {
      for (const line of jsonLines<OnParticipant>(fixture(`contract-ids/${file}.jsonl.gz`))) {
        const blob = blobs.get(`${line.file ?? 'verdicts'} ${line.name}`);
        if (blob?.created_event_blob === undefined) continue;
        const frame = encodeRecord({
          synchronizerId: SYNC,
          reassignmentCounter: 0n,
          createdEvent: {
            contractId: '',
            createdEventBlob: Buffer.from(blob.created_event_blob, 'hex'),
            representativePackageId: blob.representative_package_id ?? '',
          },
        });
        const { validation } = judge(recordOf(frame));
        judged++;
        if (ENGINE_ONLY.test(line.name) || STORE.test(line.message)) {
          expect(validation.outcome, line.name).toBe('accept');
        } else if ((validation.outcome === 'accept') !== (line.participant === 'accept')) {
          wrong.push(`${line.name}: ${line.participant} ≠ ${JSON.stringify(validation)}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(judged).toBe(325);
  });

  function recordOf(frame: Buffer): RecordView {
    let n = 0;
    while (frame[n] >= 0x80) n++;
    return new RecordView().parse(frame, 0, n + 1, frame.length, 0, 0);
  }
});

describe('a whole file', () => {
  const twoSynchronizers = fixture('snapshots/two-synchronizers.acs.gz');

  it('drops the records of another synchronizer and refuses counters unless they are enabled', async () => {
    const synchronizerId = await firstSynchronizer(twoSynchronizers);
    const options = { synchronizerId, packages, knownPackages: known };
    const refused = await preflightSnapshot(twoSynchronizers, options);
    expect(refused.validation).toMatchObject({
      outcome: 'refused',
      step: 'counter',
      code: 'NON_ZERO_COUNTER',
    });
    expect(refused.accept.outcome).toBe('refused');
    const open = await preflightSnapshot(twoSynchronizers, { ...options, multiSynchronizer: true });
    expect(open.validation.outcome).toBe('imported');
    const dropped = Object.values(open.otherSynchronizers).reduce((a, b) => a + b);
    expect(dropped).toBeGreaterThan(0);
    expect(open.validation.contracts).toBe(60 - dropped);
    expect(open.counts.validation).toEqual({ accept: 60 - dropped, reject: 0, dropped, unknown: 0 });
    const old = await preflightSnapshot(twoSynchronizers, {
      ...options,
      line: '3.4',
      multiSynchronizer: true,
    });
    // The file holds a contract with a key, which that line cannot read.
    expect(old.validation.code).toBe('BLOB_UNSUPPORTED_VERSION');
    expect(old.codes.NON_ZERO_COUNTER).toBeGreaterThan(0);
  });

  it('cannot be judged in mode VALIDATION without DARs, and says so', async () => {
    const file = fixture('snapshots/multi/participant1.acs.gz');
    const synchronizerId = await firstSynchronizer(file);
    const report = await preflightSnapshot(file, { synchronizerId, multiSynchronizer: true });
    expect(report.validation).toMatchObject({ outcome: 'unknown', code: 'NEEDS_PACKAGE' });
    expect(report.notKnown.some((line) => line.includes('--known'))).toBe(true);
    // A participant that has none of the packages refuses in both modes.
    const none = await preflightSnapshot(file, { synchronizerId, knownPackages: new Set() });
    expect(none.accept).toMatchObject({ outcome: 'refused', step: 'package', code: 'PACKAGE_MISSING' });
  });

  it('remarks contracts without a hosted stakeholder', async () => {
    const file = fixture('snapshots/multi/participant1.acs.gz');
    const synchronizerId = await firstSynchronizer(file);
    const contracts: string[] = [];
    const report = await preflightSnapshot(file, {
      synchronizerId,
      packages,
      knownPackages: known,
      multiSynchronizer: true,
      hostedParties: new Set(['nobody::1220']),
      onContract: (contract) => contracts.push(...contract.notes),
    });
    expect(report.validation).toEqual({ outcome: 'imported', contracts: 416 });
    expect(report.codes).toEqual({ UNHOSTED: 416 });
    expect(new Set(contracts)).toEqual(new Set(['UNHOSTED']));
  });

  it('acs preflight prints both modes and the exit status tells', async () => {
    const file = fixture('snapshots/multi/participant1.acs.gz');
    const synchronizer = await firstSynchronizer(file);
    const dars = CORPUS_DARS.flatMap((dar) => ['--dar', dar]);
    const base = ['preflight', file, '--synchronizer', synchronizer, '--no-cache', ...dars];
    const good = await runCommand(...base, '--multi-synchronizer');
    expect(good.status, good.stdout).toBe(0);
    expect(good.stdout).toMatch(/VALIDATION: imports 416 contracts/);
    const bad = await runCommand(...base, '--json');
    expect(bad.status).toBe(1);
    expect((JSON.parse(bad.stdout) as PreflightReport).validation.code).toBe('NON_ZERO_COUNTER');
    expect((await runCommand('preflight', file, '--synchronizer', 'acme')).status).toBe(2);
  });
});
