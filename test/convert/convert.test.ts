import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { convertSources } from '../../src/convert/convert.js';
import { readChunks } from '../../src/io/input.js';
import { inflateGzip } from '../../src/wire/inflate.js';
import { runCommand } from '../cli/runCommand.js';
import { fixture } from '../fixtures.js';
import {
  contractIdHex,
  createdEventV1,
  dumpD,
  field,
  frameB,
  frameC,
  message,
  serializableContract,
  streamV1,
  varintField,
} from './handBuilt.js';
import { readAll } from './readAll.js';

let folder: string;
const path = (name: string): string => join(folder, name);
const dar = fixture('paint/acme-paint-1.0.0.dar');

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'acs-convert-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function inflated(file: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of inflateGzip(readChunks(file))) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

describe('acs convert', () => {
  it('a snapshot comes back with the same bytes inside', async () => {
    const out = path('same.acs.gz');
    const { status, stdout } = await runCommand(
      'convert',
      fixture('paint/old-ledger.acs.gz'),
      '-o',
      out,
      '--json',
    );
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ contracts: 36, written: 36, missing: [], notImportable: [] });
    expect(await inflated(out)).toEqual(await inflated(fixture('paint/old-ledger.acs.gz')));
  });

  it('JSON Ledger API v2 with blobs becomes the same file as the export', async () => {
    const out = path('json-v2.acs.gz');
    const input = fixture('paint/json-ledger-api-v2.active-contracts.json');
    expect((await runCommand('convert', input, '-o', out)).status).toBe(0);
    expect(await inflated(out)).toEqual(await inflated(fixture('paint/old-ledger.acs.gz')));
  });

  it('a keyed contract of format B, which has no key hash, gets its own from the DAR', async () => {
    const { contracts } = await readAll(fixture('snapshots/tiny.acs.gz'));
    const keyed = contracts.find(({ key }) => key !== undefined);
    const { key, instance, templateId, createdAt = 0n } = keyed ?? {};
    if (instance === undefined || key?.value.form !== 'bytes' || templateId === undefined) throw new Error();
    const input = path('keyed-b.gz');
    const frame = frameB({
      contractId: instance.contractId,
      argument: instance.createArgument,
      packageName: instance.packageName,
      templateId: message(
        field(1, templateId.packageId),
        ...templateId.moduleName.split('.').map((part) => field(2, part)),
        ...templateId.entityName.split('.').map((part) => field(3, part)),
      ),
      signatories: [...instance.nonMaintainerSignatories],
      observers: [...instance.nonSignatoryStakeholders],
      // Out of its envelopes.
      salt: instance.authenticationData.subarray(4, -2),
      createdAt: message(
        varintField(1, createdAt / 1000000n),
        varintField(2, (createdAt % 1000000n) * 1000n),
      ),
      synchronizerId: keyed?.synchronizerId ?? '',
      key: key.value.bytes,
      maintainers: [...(key.maintainers ?? [])],
    });
    writeFileSync(input, gzipSync(frame));
    const run = (...more: string[]) => runCommand('convert', input, '-o', path('keyed.acs.gz'), ...more);
    const without = await run();
    expect(without.status).toBe(4);
    expect(without.stderr).toContain('1 lack key-hash');
    expect((await run('--dar', dar, '--no-cache')).stderr).toContain('1 lack key-hash');
    expect(await run('--dar', fixture('dars'), '--no-cache', '-q')).toMatchObject({ status: 0, stderr: '' });
    const [made] = (await readAll(path('keyed.acs.gz'))).contracts;
    expect(made.blob?.toString('hex')).toBe(keyed?.blob?.toString('hex'));
  });

  it('recorded responses of a live participant: in-flight contracts are a loss, said so', async () => {
    const out = path('live.acs.gz');
    const { status, stderr } = await runCommand(
      'convert',
      fixture('live/p1.active-contracts.plain.bin'),
      '-o',
      out,
    );
    expect(status).toBe(3);
    expect(stderr).toContain('IN_FLIGHT');
    const exported = await readAll(fixture('live/p1.export-acs.all-parties.acs.gz'));
    const converted = await readAll(out);
    expect(converted.contracts.map((c) => c.blob).sort()).toEqual(
      exported.contracts.map((c) => c.blob).sort(),
    );
  });

  it('format B is lossless', async () => {
    const input = path('old.gz');
    writeFileSync(
      input,
      gzipSync(frameB({ contractId: contractIdHex('ca12'), argument: Buffer.from('6a00', 'hex') })),
    );
    const out = path('from-b.acs.gz');
    expect((await runCommand('convert', input, '-o', out)).status).toBe(0);
    const long = path('from-b-long.acs.gz');
    await convertSources([input], { output: long, to: 'snapshot', longWay: true });
    expect(readFileSync(long)).toEqual(readFileSync(out));
    const [before] = (await readAll(input)).contracts;
    const [after] = (await readAll(out)).contracts;
    expect(after).toMatchObject({ ...before, format: 'A' });
  });

  it('says exactly what is missing and writes nothing', async () => {
    const out = path('none.acs.gz');
    const { status, stderr } = await runCommand(
      'convert',
      fixture('paint/sandbox.query.json'),
      '-o',
      out,
      '--dar',
      dar,
      '--json',
    );
    expect(status).toBe(4);
    const { error } = JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as {
      error: { code: string; found: string };
    };
    expect(error.code).toBe('CONVERT_INCOMPLETE');
    for (const part of ['contract-id', 'authentication-data', 'created-at', 'synchronizer']) {
      expect(error.found).toContain(`36 lack ${part}`);
    }
    expect(error.found).not.toContain('package-name');
    expect(() => readFileSync(out)).toThrow();
    const without = await runCommand('convert', fixture('paint/sandbox.query.json'), '-o', out);
    expect(without.stderr).toContain('36 lack types');
    expect(without.stderr).toContain('36 lack package-name');
  });

  it('keeps everything as JSON lines', async () => {
    const out = path('sandbox.jsonl');
    const { status } = await runCommand(
      'convert',
      fixture('paint/sandbox.query.json'),
      '--to',
      'jsonl',
      '-o',
      out,
    );
    expect(status).toBe(3);
    const lines = readFileSync(out, 'utf8').trim().split('\n');
    expect(lines).toHaveLength(36);
    expect(JSON.parse(lines[0])).toMatchObject({
      format: 'json-api-v1',
      contractId: '#0:0',
      argument: { json: { painter: 'Kahlo', amount: { value: '100.0000000000' } } },
      signatories: ['Kahlo'],
    });
  });

  it('contracts of Canton 2.x are marked as not importable, with the reason', async () => {
    const contract = serializableContract({
      version: 2,
      contractId: contractIdHex('ca03'),
      packageName: 'main-package',
    });
    const inputs: [string, Buffer][] = [
      ['c.gz', gzipSync(frameC(contract))],
      ['d.txt', Buffer.from(dumpD([contract]))],
      ['v1.bin', streamV1([createdEventV1(contractIdHex('ca03'), { late: true })])],
    ];
    for (const [name, bytes] of inputs) {
      writeFileSync(path(name), bytes);
      const { status, stdout } = await runCommand(
        'convert',
        path(name),
        '--to',
        'jsonl',
        '-o',
        path('legacy.jsonl'),
        '--json',
      );
      expect(status).toBe(3);
      const result = JSON.parse(stdout) as { notImportable: { label: string; message: string }[] };
      expect(result.notImportable.map((f) => f.label)).toEqual(['ca03', 'lf1']);
      expect(result.notImportable[0].message).toContain('Canton 3 refuses');
      expect(result.notImportable[1].message).toContain('Daml-LF 1');
    }
  });

  it('several inputs: equal contracts once, different content refused, undated answers reported', async () => {
    const a = fixture('paint/old-ledger.acs.gz');
    const both = await runCommand(
      'convert',
      a,
      fixture('paint/old-ledger-with-references.acs.gz'),
      '-o',
      path('both.acs.gz'),
      '--json',
    );
    expect(JSON.parse(both.stdout)).toMatchObject({ contracts: 74, written: 38, duplicates: 36 });
    const id = contractIdHex('ca12');
    writeFileSync(path('x.gz'), gzipSync(frameB({ contractId: id, argument: Buffer.from('6a00', 'hex') })));
    writeFileSync(
      path('y.gz'),
      gzipSync(frameB({ contractId: id, argument: Buffer.from('6a060a040a025200', 'hex') })),
    );
    const conflict = await runCommand('convert', path('x.gz'), path('y.gz'), '-o', path('xy.acs.gz'));
    expect(conflict.status).toBe(4);
    expect(conflict.stderr).toContain('CONTENT_CONFLICT');
    const moved = frameB({ contractId: id, argument: Buffer.from('6a00', 'hex'), counter: 2 });
    writeFileSync(path('y.gz'), gzipSync(moved));
    const later = await runCommand('convert', path('x.gz'), path('y.gz'), '-o', path('xy.acs.gz'));
    expect(later.status).toBe(4);
    expect(later.stderr).toContain('different content or counter');
    const answer = JSON.parse(
      readFileSync(fixture('paint/json-ledger-api-v2.active-contracts.json'), 'utf8'),
    ) as unknown[];
    writeFileSync(path('pages.json'), JSON.stringify([...answer, ...answer.slice(0, 3)]));
    const pages = await runCommand('convert', path('pages.json'), '-o', path('pages.acs.gz'), '--json');
    expect(pages.status).toBe(0);
    expect(JSON.parse(pages.stdout)).toMatchObject({ contracts: 39, written: 36, duplicates: 3 });
    const sandbox = fixture('paint/sandbox.query.json');
    const twice = await runCommand('convert', sandbox, sandbox, '--to', 'jsonl', '-o', path('t.jsonl'));
    expect(twice.stderr).toContain('NO_COMMON_CUT');
  });

  it('a wrong --format is a clear error', async () => {
    const { status, stderr } = await runCommand(
      'convert',
      '--format',
      'C',
      fixture('paint/old-ledger.acs.gz'),
      '-o',
      path('z.acs.gz'),
    );
    expect(status).toBe(4);
    expect(stderr).toContain('SOURCE_WRONG_FORMAT');
    expect(stderr).toContain('give --format A');
  });
});
