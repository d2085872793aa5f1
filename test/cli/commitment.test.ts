import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { runCommand } from './runCommand.js';

const fixtures = new URL('../../fixtures/', import.meta.url);
const path = (name: string) => new URL(name, fixtures).pathname;
const snapshot = (n: number) => path(`snapshots/multi/participant${n}.acs.gz`);
const hosting = path('snapshots/multi/hosting.json');
const folder = mkdtempSync(join(tmpdir(), 'acs-commitment-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface CorpusCommitment {
  data: string;
  sender: string;
  counter_participant: string;
  shared_contracts: number;
  shared_stakeholder_groups: number;
  commitment_multihash: string;
}
const corpus = (
  JSON.parse(readFileSync(path('commitments/commitments.json'), 'utf8')) as CorpusCommitment[]
).filter((c) => c.data === 'as-snapshotted');
const planted = JSON.parse(readFileSync(path('commitments/differences.json'), 'utf8')) as Record<
  string,
  { only_participant1: string[]; shared_equal: number }
>;

describe('acs commitment', () => {
  it('finds mistakes of the call before it reads the file', async () => {
    const call = ['commitment', '/no/such/file', '--participant', 'participant1', '--hosting', hosting];
    for (const [options, message] of [
      [['--with', 'participant1'], 'no commitment with itself'],
      [['--with', 'participant2', '--expect', '4a4b'], 'COMMITMENT_BAD_HASH'],
      [['--with', 'participant2', '--group-digests', '--salt-file', '/no/such/salt'], '/no/such/salt'],
    ] as const) {
      const { stderr } = await runCommand(...call, ...options);
      expect(stderr).toContain(message);
    }
  });

  it('names what is no opened commitment', async () => {
    const indented = join(folder, 'indented.json');
    writeFileSync(indented, JSON.stringify({ cid: '00' }, null, 2));
    for (const [file, message] of [
      [snapshot(1), 'this is gzip'],
      [indented, 'expected: a JSON object'],
      ['-', 'standard input cannot be read twice'],
    ] as const) {
      const { status, stderr } = await runCommand(
        'commitment',
        'diff',
        path('commitments/open-commitment.bin'),
        file,
      );
      expect(status).toBeGreaterThan(1);
      expect(stderr).toContain(message);
    }
  });

  it('expects of who shares nothing the commitment to nothing', async () => {
    const empty = join(folder, 'empty.acs.gz');
    writeFileSync(empty, gzipSync(''));
    const call = ['commitment', empty, '--participant', 'participant1', '--hosting', hosting];
    const nothing = '1220e2c0cf0361cbe95c80df9dbbc0fd5007020783d24fc753fe8a120699c7e3bd34';
    for (const [expected, status] of [
      [nothing, 0],
      ['SHA-256:e2c0cf0361cb...', 0],
      [nothing.replace(/4$/, '5'), 1],
    ] as const) {
      const result = await runCommand(...call, '--with', 'participant2', '--expect', expected);
      expect(result.status).toBe(status);
    }
  });

  it('prints the commitment per counter-participant', async () => {
    for (const n of [1, 2, 3]) {
      const args = ['commitment', snapshot(n), '--participant', `participant${n}`, '--hosting', hosting];
      const result = await runCommand(...args, '--json');
      expect(result.status).toBe(0);
      const report = JSON.parse(result.stdout) as {
        commitments: {
          counterParticipant: string;
          commitment: string;
          contracts: number;
          elements: number;
        }[];
      };
      const text = await runCommand(...args);
      for (const c of corpus.filter((x) => x.sender === `participant${n}`)) {
        const own = report.commitments.find((x) =>
          x.counterParticipant.startsWith(`${c.counter_participant}::`),
        )!;
        expect(own.commitment).toBe(c.commitment_multihash);
        expect(own.contracts).toBe(c.shared_contracts);
        expect(own.elements).toBe(c.shared_stakeholder_groups);
        expect(text.stdout).toContain(c.commitment_multihash);
      }
    }
  });

  it('compares with an expected commitment, whole or as logged', async () => {
    const check = (expect: string) =>
      runCommand(
        ...['commitment', snapshot(1), '--participant', 'participant1', '--hosting', hosting],
        ...['--with', 'participant2', '--expect', expect],
      );
    const whole = corpus.find(
      (c) => c.sender === 'participant1' && c.counter_participant === 'participant2',
    )!;
    expect((await check(whole.commitment_multihash)).status).toBe(0);
    expect((await check(`SHA-256:${whole.commitment_multihash.slice(4, 16)}...`)).status).toBe(0);
    expect((await check(`1220${'0'.repeat(64)}`)).status).toBe(1);
    expect((await check('SHA-256:000000000000...')).status).toBe(1);
    const bad = await check('1220');
    expect(bad.status).toBe(2);
    expect(bad.stderr).toContain('COMMITMENT_BAD_HASH');
  });

  it('narrows a mismatch from groups to contracts', async () => {
    const [mine, theirs] = [join(folder, 'mine'), join(folder, 'theirs')];
    const salt = join(folder, 'salt');
    writeFileSync(salt, 'between us\n');
    for (const [n, m, file] of [
      [1, 2, mine],
      [2, 1, theirs],
    ] as const) {
      const common = ['--hosting', hosting, '--participant', `participant${n}`, '--with', `participant${m}`];
      const groups = await runCommand(
        ...['commitment', snapshot(n), ...common, '--group-digests', '--salt-file', salt],
      );
      expect(groups.status).toBe(0);
      writeFileSync(`${file}.json`, groups.stdout);
      const named = await runCommand(
        ...['commitment', snapshot(n), ...common, '--group-digests', '--salt-file', salt, '--show-parties'],
      );
      expect(named.stdout).toMatch(/"parties": \[\s+"/);
      for (const form of ['console', 'node']) {
        const opened = await runCommand(
          ...['commitment', 'open', snapshot(n), ...common, '--form', form, '-o', `${file}.${form}`],
        );
        expect(opened.status).toBe(0);
      }
    }
    const groups = await runCommand('commitment', 'diff', `${mine}.json`, `${theirs}.json`, '--json');
    expect(groups.status).toBe(1);
    expect((JSON.parse(groups.stdout) as { differences: unknown[] }).differences).toHaveLength(4);

    const unlike = await runCommand('commitment', 'diff', `${mine}.json`, `${theirs}.node`);
    expect(unlike.stderr).toContain(`${theirs}.node`);
    const want = planted['participant1/participant2']!;
    const mismatch = await runCommand(
      ...['commitment', 'diff', `${mine}.console`, `${theirs}.node`, '--format', 'canton-mismatch'],
    );
    expect(mismatch.status).toBe(1);
    expect(JSON.parse(mismatch.stdout)).toEqual({
      cidsOnlyLocal: [...want.only_participant1].sort(),
      cidsOnlyRemote: [],
      differentReassignmentCounters: [],
    });
    const lines = await runCommand(
      'commitment',
      'diff',
      `${mine}.node`,
      `${theirs}.node`,
      '--format',
      'jsonl',
    );
    expect(lines.stdout.trim().split('\n')).toHaveLength(want.only_participant1.length);
    const text = await runCommand('commitment', 'diff', `${mine}.node`, `${theirs}.node`, '--limit', '2');
    expect(text.stdout).toContain('… and 3 more');
    expect((await runCommand('commitment', 'diff', `${mine}.node`, `${mine}.console`)).status).toBe(0);
    const json = await runCommand('commitment', 'diff', `${mine}.node`, `${theirs}.node`, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ same: want.shared_equal, onlyLocal: 5, onlyRemote: 0 });
  });

  it('refuses what cannot be computed', async () => {
    const base = ['commitment', snapshot(1)];
    expect((await runCommand('commitment')).status).toBe(2);
    expect((await runCommand(...base)).status).toBe(2);
    const all = [...base, '--participant', 'participant1', '--hosting', hosting];
    expect((await runCommand(...all, '--group-digests')).status).toBe(2);
    expect((await runCommand(...all, '--expect', '1220')).status).toBe(2);
    expect((await runCommand(...all, '--with', 'nobody')).status).toBe(2);
    const map = join(folder, 'hosting.json');
    writeFileSync(map, '{"participants":{"p":{"participant_uid":"p::1","hosts":["alice"]}}}');
    const malformed = await runCommand(...base, '--participant', 'p', '--hosting', map);
    expect(malformed.status).toBe(4);
    expect(malformed.stderr).toContain('participants.p.hosts[0]');
    expect(malformed.stderr).toContain(map);
    const elsewhere = await runCommand(...all, '--synchronizer', 'other::1');
    expect(elsewhere.status).toBe(0);
    expect(elsewhere.stderr).toContain('COMMITMENT_NO_CONTRACTS');
  });

  it('explains itself', async () => {
    for (const words of [[], ['diff'], ['open']]) {
      const help = await runCommand('commitment', ...words, '--help');
      expect(help.status).toBe(0);
      expect(help.stdout).toContain('Examples:');
      expect(help.stdout).toContain('Exit status:');
    }
  });
});
