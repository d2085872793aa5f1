import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommand as acs } from '../cli/runCommand.js';
import { temporaryFolder } from './contracts.js';

const MULTI = 'fixtures/snapshots/multi';
const file = (n: number) => join(MULTI, `participant${n}.acs.gz`);

describe('acs diff', () => {
  const folder = temporaryFolder();

  it('prints a summary and exits with 1', async () => {
    const { status, stdout } = await acs('diff', file(1), file(2), '--hosting', join(MULTI, 'hosting.json'));
    expect(status).toBe(1);
    expect(stdout).toContain('different      5');
    expect(stdout).toContain('participant1: active counter 0; participant2: absent');
  });

  it('exits with 0 when nothing differs', async () => {
    const { status, stdout } = await acs('diff', `a=${file(1)}`, `b=${file(1)}`);
    expect(status).toBe(0);
    expect(stdout).toContain('same           416');
  });

  it('prints JSON, JSON lines, the mismatch file and the report', async () => {
    const hosted = [file(1), file(3), '--hosting', join(MULTI, 'hosting.json')];
    const json = JSON.parse((await acs('diff', ...hosted, '--json')).stdout);
    expect(json.different).toBe(4);
    expect(json.differences).toHaveLength(4);
    const lines = (await acs('diff', ...hosted, '--format', 'jsonl')).stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).contractId)).toEqual(
      json.differences.map((d: { contractId: string }) => d.contractId),
    );
    const out = join(folder, 'mismatch.json');
    const html = join(folder, 'diff.html');
    await acs('diff', ...hosted, '--format', 'canton-mismatch', '-o', out, '--html', html);
    expect(JSON.parse(readFileSync(out, 'utf8')).differentReassignmentCounters).toHaveLength(2);
    expect(readFileSync(html, 'utf8')).toContain('<!doctype html>');
  });

  it('does not call inputs equal when nothing was compared', async () => {
    const elsewhere = `nowhere::1220${'0'.repeat(64)}`;
    for (const choice of [
      ['--synchronizer', elsewhere],
      ['--party', 'bank'],
    ]) {
      const { status, stderr } = await acs('diff', file(1), file(2), ...choice);
      expect(status).toBe(1);
      expect(stderr).toContain('DIFF_NOTHING_COMPARED');
    }
    const { status, stderr } = await acs('diff', file(1), file(2), '--synchronizer', 'acme-sync');
    expect(status).toBe(2);
    expect(stderr).toContain('no logical synchronizer id');
  });

  it('warns when the hosting map is that of another synchronizer', async () => {
    const other = [
      '--synchronizer',
      `other::1220${'0'.repeat(64)}`,
      '--hosting',
      join(MULTI, 'hosting.json'),
    ];
    const of = ['--participant', 'participant1', '--with', 'participant2'];
    for (const call of [
      ['diff', file(1), file(2)],
      ['commitment', file(1), ...of],
      ['commitment', 'open', file(1), ...of, '-o', join(folder, 'opened')],
      ['plan', file(1), file(2), '--policy', 'union', '-o', join(folder, 'of-other')],
    ]) {
      const { stderr } = await acs(...call, ...other);
      expect(stderr).toContain('HOSTING_OTHER_SYNCHRONIZER');
    }
  });

  it('warns when an opened commitment is compared with all of a snapshot', async () => {
    const opened = 'fixtures/commitments/open-commitment.bin';
    const all = await acs('diff', file(1), opened);
    expect(all.status).toBe(1);
    expect(all.stderr).toContain('DIFF_NOT_SHARED_SHOWN');
    const hosted = ['--hosting', join(MULTI, 'hosting.json')];
    const shared = await acs('diff', file(1), `participant2=${opened}`, ...hosted);
    expect(shared.stderr).toBe('');
  });

  it('takes globs that the shell left alone', async () => {
    const { status, stdout } = await acs(
      'diff',
      join(MULTI, 'participant[12].acs.gz'),
      '--hosting',
      join(MULTI, 'hosting.json'),
    );
    expect(status).toBe(1);
    expect(stdout).toContain('different      5');
  });

  it('never writes over what it reads', async () => {
    const mine = [join(folder, 'mine.acs.gz'), join(folder, 'hosting.json')] as const;
    copyFileSync(file(1), mine[0]);
    copyFileSync(join(MULTI, 'hosting.json'), mine[1]);
    const hosted = [`participant1=${mine[0]}`, file(2), '--hosting', mine[1]];
    const both = ['--format', 'jsonl', '-o', join(folder, 'x'), '--html', join(folder, 'x')];
    for (const choice of [['-o', mine[0]], ['--html', mine[0]], ['-o', mine[1]], both]) {
      const { status, stderr } = await acs('diff', ...hosted, ...choice);
      expect(status).toBe(2);
      expect(stderr).toMatch(/is an input too|are both/);
    }
    expect(readFileSync(mine[0])).toEqual(readFileSync(file(1)));
    const of = ['--participant', 'participant1', '--with', 'participant2', '--hosting', mine[1]];
    const opened = await acs('commitment', 'open', mine[0], ...of, '-o', mine[0]);
    expect(opened.status).toBe(2);
    const converted = await acs('convert', mine[0], '-o', mine[0]);
    expect(converted.status).toBe(2);
    copyFileSync(file(2), join(folder, 'other.acs.gz'));
    const remapped = await acs('remap', mine[0], join(folder, 'other.acs.gz'), '-o', folder);
    expect(remapped.stderr).toContain('is an input too');
    expect(readFileSync(mine[0])).toEqual(readFileSync(file(1)));
  });

  it('refuses what cannot be compared', async () => {
    expect((await acs('diff', file(1))).status).toBe(2);
    expect((await acs('diff', file(1), file(2), file(3), '--format', 'canton-mismatch')).status).toBe(2);
    expect((await acs('diff', file(1), file(2), '--memory', 'lots')).status).toBe(2);
    const missing = await acs('diff', file(1), join(folder, 'nothing.acs.gz'));
    expect(missing.status).toBe(4);
    expect(missing.stderr).toContain('no such file');
    const unknown = await acs('diff', `x=${file(1)}`, file(2), '--hosting', join(MULTI, 'hosting.json'));
    expect(unknown.status).toBe(2);
    expect(unknown.stderr).toContain('HOSTING_UNKNOWN_PARTICIPANT');
    const time = 'participant4=2026-01-31T12:00:00Z';
    const hosted = [file(1), file(2), '--hosting', join(MULTI, 'hosting.json')];
    const untaken = await acs('diff', ...hosted, '--record-time', time);
    expect(untaken.status).toBe(2);
    expect(untaken.stderr).toContain('no input is called that');
    expect((await acs('diff', 'a=-', 'b=-')).stderr).toContain('only once');
    const alias = ['--policy', 'union', '-o', join(folder, 'plan'), '--alias', 'acme-sync=sync'];
    expect((await acs('plan', ...hosted, ...alias)).stderr).toContain('no logical synchronizer id');
    const once = ['plan', 'participant1=-', file(2), '--hosting', join(MULTI, 'hosting.json')];
    const piped = await acs(...once, '--policy', 'union', '-o', join(folder, 'plan'));
    expect(piped.stderr).toContain('standard input cannot be read twice');
    const malformed = await acs('diff', file(1), file(2), '--hosting', file(1));
    expect(malformed.stderr).toContain('HOSTING_NOT_JSON');
  });
});
