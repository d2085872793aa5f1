import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { PackageSet } from '../../src/dar/type.js';
import type { AuthenticityReport } from '../../src/inspect/authenticity.js';
import type { Finding } from '../../src/inspect/finding.js';
import { type VerifyReport, verifySnapshot } from '../../src/inspect/verify.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { runCommand } from '../cli/runCommand.js';
import { fixture } from '../fixtures.js';
import { CORPUS_DARS, corpusPackages } from '../hash/corpusPackages.js';

const packages = await corpusPackages();
const good = fixture('snapshots/multi/participant1.acs.gz');
const dir = mkdtempSync(join(tmpdir(), 'acskit-authenticity-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** The file with the last byte of the salt flipped in every tenth record, and the type of every hundredth damaged. */
async function tampered(): Promise<string> {
  const bytes = gunzipSync(readFileSync(good));
  await scanSnapshot(good, (record) => {
    const { createdEventBlob: blob } = record;
    if (blob === undefined || record.index % 10 !== 0) return;
    const start = record.offset + (blob.byteOffset - record.buf.byteOffset) - record.start;
    const at = bytes.indexOf(Buffer.from('0a260a2408011220', 'hex'), start);
    bytes[at + 8 + 31] ^= 1;
  });
  const file = join(dir, 'tampered.acs.gz');
  writeFileSync(file, gzipSync(bytes));
  return file;
}

async function verify(
  file: string,
  threads: number,
  given: PackageSet = packages,
): Promise<{ report: VerifyReport; summary: AuthenticityReport; findings: Finding[] }> {
  const findings: Finding[] = [];
  const { authenticity, ...report } = await verifySnapshot(file, {
    authenticate: given,
    threads,
    onFinding: (finding) => findings.push(finding),
  });
  return { report, summary: authenticity as AuthenticityReport, findings };
}

describe('authenticity of a file', () => {
  it('finds every contract of the corpus valid, and says what was not checked', async () => {
    const { report, summary, findings } = await verify(good, 0);
    expect(findings).toEqual([]);
    expect(summary.verdicts).toMatchObject({ VALID: 416, MISMATCH: 0, NEEDS_PACKAGE: 0 });
    expect(summary.notChecked[0]).toMatch(/Daml engine/);
    expect(report.notChecked).toEqual([]);
  });

  it('finds the changed contracts, with their place and the id they would have', async () => {
    const { report, summary, findings } = await verify(await tampered(), 0);
    expect(summary.verdicts).toMatchObject({ VALID: 374, MISMATCH: 42 });
    expect(report.findings).toEqual({ MISMATCH: 42 });
    expect(findings.map((f) => f.record)).toEqual(Array.from({ length: 42 }, (_, i) => 10 * i));
    for (const finding of findings) {
      expect(finding).toMatchObject({
        level: 'authenticity',
        severity: 'error',
        code: 'MISMATCH',
        stream: 'inflated',
      });
      expect(finding.expected?.slice(0, 66)).toBe(finding.contractId?.slice(0, 66));
      expect(finding.expected).not.toBe(finding.contractId);
    }
  });

  it('says the same with further threads', async () => {
    const file = await tampered();
    expect(await verify(file, 1)).toEqual(await verify(file, 0));
    expect(await verify(file, 2)).toEqual(await verify(file, 0));
    const empty = { ...packages, get: () => undefined, byName: () => [], ids: () => [] };
    const alone = await verify(file, 0, empty);
    expect(await verify(file, 1, empty)).toEqual(alone);
    expect(alone.summary.verdicts.NEEDS_PACKAGE).toBeGreaterThan(300);
    expect(alone.summary.missingPackages.length).toBeGreaterThan(1);
  });

  it('acs verify --dar prints verdicts; --allow relaxes the exit status', async () => {
    const dars = CORPUS_DARS.flatMap((dar) => ['--dar', dar]);
    const ok = await runCommand('verify', good, '--no-cache', ...dars);
    expect(ok.status, ok.stdout).toBe(0);
    expect(ok.stdout).toMatch(/authenticity: VALID 416/);
    const file = await tampered();
    const bad = await runCommand('verify', file, '--no-cache', '--json', '--max-findings', '5', ...dars);
    expect(bad.status).toBe(1);
    const json = JSON.parse(bad.stdout) as { authenticity: AuthenticityReport; findings: Finding[] };
    expect(json.authenticity.verdicts.MISMATCH).toBe(42);
    expect(json.findings.length).toBe(5);
    const allowed = await runCommand('verify', file, '--no-cache', '--allow', 'MISMATCH', ...dars);
    expect(allowed).toMatchObject({ status: 0, stderr: '' });
    const mistyped = await runCommand('verify', file, '--no-cache', '--allow', 'MISMATCHED', ...dars);
    expect(mistyped.status).toBe(1);
    expect(mistyped.stderr).toContain('--allow MISMATCHED: there is no such finding; found: MISMATCH');
    const blind = await runCommand('verify', good, '--authenticate');
    expect(blind.status).toBe(1);
    expect(blind.stdout).toMatch(/NEEDS_PACKAGE/);
    expect(blind.stdout).toMatch(/missing package: [0-9a-f]{64}/);
  });
});
