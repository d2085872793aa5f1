import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BlobView } from '../../src/contract/blob.js';
import { decodeValue } from '../../src/contract/valueDecoder.js';
import { loadDars } from '../../src/dar/catalog.js';
import { authenticate } from '../../src/hash/authenticate.js';
import { PlanCompiler } from '../../src/typed/typePlan.js';
import { runCommand } from '../cli/runCommand.js';
import {
  contractIdHex,
  dumpD,
  dumpE,
  field,
  frameC,
  message,
  PACKAGE_ID,
  saltMessage,
  timestamp,
  varintField,
} from '../convert/handBuilt.js';
import { readAll } from '../convert/readAll.js';
import { fixture } from '../fixtures.js';

/**
 * Contracts of Canton 2.x, hand-built (formats C, D, E; snapshot-format spec, 9.2 to 9.4), whose model was rebuilt for
 * Canton 3: `Acme.Paint` of the paint ledger. PaintHouse refers to an IOU, whose id changes.
 */
const PAINT = '458433249c1ba87ee778957a068a8e3a45428290bba12752872a5f83162398d0';
const DAR = fixture('paint/acme-paint-1.0.0.dar');
const DOMAIN_NEW = `new::1220${'ee'.repeat(32)}`;
const IOU_ID = contractIdHex('ca02', '41');
const HOUSE_ID = contractIdHex('ca03', '42');

let folder: string;
let compiler: PlanCompiler;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'acs-legacy-'));
  compiler = new PlanCompiler(await loadDars([DAR], { cacheDir: false }));
});
afterAll(() => rmSync(folder, { recursive: true }));

const value = (content: Uint8Array): Buffer => field(2, field(2, content));
const party = (name: string): Buffer => field(10, name);
const record = (...values: Uint8Array[]): Buffer => field(1, message(...values.map(value)));

function contract(
  id: string,
  entity: string,
  argument: Uint8Array,
  signatories: string[],
  observers: string[],
): Buffer {
  const template = message(field(1, PACKAGE_ID), field(2, 'Acme'), field(2, 'Paint'), field(3, entity));
  const body = message(
    field(1, id),
    field(2, message(field(1, template), field(2, message(field(1, '14'), field(2, argument))))),
    field(3, message(...signatories.map((p) => field(1, p)), ...observers.map((p) => field(2, p)))),
    field(4, timestamp),
    field(5, saltMessage),
  );
  return message(field(1, body), varintField(2, 1));
}

/** PaintHouse before the IOU it refers to; the numeric has fewer digits than its type. */
function contracts(): Buffer[] {
  const amount = record(field(6, '100.0'), field(8, 'USD'));
  const iou = record(party('Citi'), party('Alice'), amount, field(4, ''));
  const house = record(party('Kahlo'), party('Alice'), field(15, field(1, IOU_ID)));
  return [
    contract(HOUSE_ID, 'PaintHouse', house, ['Kahlo', 'Alice'], []),
    contract(IOU_ID, 'Iou', iou, ['Citi'], ['Alice']),
  ];
}

const flags = () => [
  ...['--map', fixture('paint/party-map.plain.csv'), '--dar', DAR, '--no-cache'],
  ...['--seed', 'a seed of at least sixteen bytes'],
];

describe('contracts of Canton 2.x', () => {
  it.each(['C', 'D', 'E'] as const)(
    'format %s, remapped to a rebuilt package, becomes importable',
    async (format) => {
      const all = contracts();
      const bytes =
        format === 'C'
          ? gzipSync(Buffer.concat(all.map((c) => frameC(c))))
          : Buffer.from(format === 'D' ? dumpD(all) : dumpE(all));
      const input = join(folder, `old.${format}`);
      const output = join(folder, `new.${format}.acs.gz`);
      writeFileSync(input, bytes);
      const { domain } = { domain: (await readAll(input)).contracts[0].synchronizerId };
      const { status, stdout, stderr } = await runCommand(
        'remap',
        input,
        ...flags(),
        ...[
          '--package-map',
          `${PACKAGE_ID}=${PAINT}`,
          '--rename-synchronizer',
          `${domain}=${DOMAIN_NEW}`,
          '-o',
          output,
          '--json',
        ],
      );
      expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
      expect(JSON.parse(stdout)).toMatchObject({
        contracts: 2,
        minted: 2,
        referring: 1,
        idVersions: [{ label: 'V12', validation: true }],
      });
      const made = (await readAll(output)).contracts;
      for (const { blob, synchronizerId, packageName } of made) {
        expect(authenticate(new BlobView().parse(blob as Buffer), { packages: compiler.packages }).code).toBe(
          'VALID',
        );
        expect(synchronizerId).toBe(DOMAIN_NEW);
        expect(packageName).toBe('acme-paint');
      }
      const [house, iou] = made;
      expect(house.blob?.includes(Buffer.from(iou.contractId, 'hex'))).toBe(true);
      const text = JSON.stringify(decodeValue(iou.instance?.createArgument as Buffer), (_k, v: unknown) =>
        typeof v === 'bigint' ? `${v}` : v,
      );
      expect(text).toContain('100.0000000000');
      const ids = readFileSync(`${output}.id-map.csv`, 'utf8');
      expect(ids).toContain(`${IOU_ID},${iou.contractId}`);
      // The same from every form of the dump.
      expect(iou.contractId).toBe((await readAll(join(folder, 'new.C.acs.gz'))).contracts[1].contractId);
    },
  );

  it('without a rebuilt package it says what is needed', async () => {
    const input = join(folder, 'alone.gz');
    writeFileSync(input, gzipSync(frameC(contracts()[1])));
    const { status, stderr } = await runCommand('remap', input, ...flags(), '-o', join(folder, 'x.acs.gz'));
    expect(status).toBe(4);
    expect(stderr).toContain('PACKAGE_MISSING');
    expect(stderr).toContain('--package-map');
  });

  it('a reference to a contract that is in no dump and has no Canton id cannot be written', async () => {
    const answer = JSON.parse(readFileSync(fixture('paint/sandbox.query.json'), 'utf8')) as {
      result: object[];
    };
    const payload = { painter: 'Kahlo', houseOwner: 'Alice', iou: '#99:0' };
    const input = join(folder, 'dangling.json');
    const write = (id: string) =>
      writeFileSync(
        input,
        JSON.stringify({
          status: 200,
          result: [
            ...answer.result.map((c, i) => (i === 0 ? { ...c, contractId: id } : c)),
            {
              contractId: '#7:7',
              templateId: `${PAINT}:Acme.Paint:PaintHouse`,
              payload,
              signatories: ['Alice'],
              observers: [],
            },
          ],
        }),
      );
    const args = [
      input,
      ...flags(),
      '--synchronizer',
      DOMAIN_NEW,
      '--created-at',
      '2026-01-01T00:00:00Z',
      '-o',
      join(folder, 'd.acs.gz'),
    ];
    write('#0:0');
    const dangling = await runCommand('remap', ...args);
    expect(dangling.status).toBe(4);
    expect(dangling.stderr).toContain('REFERENCE_UNRESOLVABLE');
    write('#99:0');
    const resolved = await runCommand('remap', ...args, '--json');
    expect(resolved.status).toBe(0);
    expect(JSON.parse(resolved.stdout)).toMatchObject({ minted: 37, referring: 1 });
  });
});
