import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseMicros } from '../../src/contract/time.js';
import { recordFromJson } from '../../src/convert/ledgerApiJsonValue.js';
import { readSource } from '../../src/convert/readSource.js';
import { streamBase64Member } from '../../src/convert/scanEvents.js';
import { AcsError } from '../../src/io/error.js';
import { fixture } from '../fixtures.js';
import { failure, readAll } from './readAll.js';

type Json = Record<string, unknown>;

const query = JSON.parse(readFileSync(fixture('paint/json-api-v1.query.json'), 'utf8')) as {
  result: Json[];
};
const active = JSON.parse(
  readFileSync(fixture('paint/json-ledger-api-v2.active-contracts.json'), 'utf8'),
) as { contractEntry: { JsActiveContract: { createdEvent: Json; reassignmentCounter: unknown } } }[];

const bytes = (json: unknown): Buffer => Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));

/** The first contract of the JSON Ledger API v2, with other members. */
function changed(members: { event?: Json; active?: Json }): Buffer {
  const copy = structuredClone(active[0]);
  const { JsActiveContract } = copy.contractEntry;
  Object.assign(JsActiveContract, members.active);
  Object.assign(JsActiveContract.createdEvent, members.event);
  return bytes([copy]);
}

describe('numbers that no field can hold are refused, where they wrapped round', () => {
  it.each<[string, { event?: Json; active?: Json }]>([
    ['a negative counter', { active: { reassignmentCounter: -1 } }],
    ['a counter of 65 bits', { active: { reassignmentCounter: '18446744073709551621' } }],
    ['an offset of 64 bits', { event: { offset: '9223372036854775813' } }],
    ['a node id of 41 bits', { event: { nodeId: 2 ** 40 } }],
    ['a negative node id', { event: { nodeId: -7 } }],
  ])('%s', async (_name, members) => {
    expect(await failure(changed(members))).toMatchObject({ code: 'JSON_WRONG_TYPE' });
  });

  it('the largest are read', async () => {
    const { contracts } = await readAll(
      changed({
        active: { reassignmentCounter: '18446744073709551615' },
        event: { offset: '9223372036854775807', nodeId: 2147483647 },
      }),
    );
    expect(contracts).toMatchObject([
      { reassignmentCounter: 2n ** 64n - 1n, offset: 2n ** 63n - 1n, nodeId: 2147483647 },
    ]);
  });
});

describe('typed values in JSON', () => {
  const value = (json: unknown) => recordFromJson({ fields: [{ value: json }] });

  it.each<Json>([
    { int64: '9223372036854775808' },
    { int64: '-9223372036854775809' },
    { int64: 2 ** 53 },
    { int64: 1.5 },
    { date: 2932897 },
    { date: -719163 },
    { timestamp: '253402300800000000' },
    { timestamp: '+10000-01-01T00:00:00Z' },
    { timestamp: '0000-12-31T23:59:59Z' },
    { party: 'a@b' },
    { party: '' },
    { text: 'a\0b' },
    { textMap: { entries: [{ value: { unit: {} } }, { key: '', value: { unit: {} } }] } },
    { textMap: { entries: [{ key: '\0', value: { unit: {} } }] } },
    { variant: { constructor: 'A.B', value: { unit: {} } } },
    { variant: { value: { unit: {} } } },
    { enum: { constructor: '' } },
    { int64: '1', text: 'x' },
  ])('%j is refused', (json) => {
    expect(() => value(json)).toThrow(AcsError);
  });

  it.each<Json>([
    { int64: '9223372036854775807' },
    { int64: '-9223372036854775808' },
    { int64: 2 ** 53 - 1 },
    { date: 2932896 },
    { date: -719162 },
    { timestamp: '253402300799999999' },
    { timestamp: '0001-01-01T00:00:00Z' },
    { textMap: { entries: [{ value: { unit: {} } }, { key: 'a', value: { unit: {} } }] } },
    { enum: { constructor: 'Red$_1' } },
  ])('%j is read', (json) => {
    expect(value(json).kind).toBe('record');
  });

  it('a member that stands twice is refused, where the last one won', async () => {
    const event = (args: string) =>
      `{"activeContract":{"createdEvent":{"contractId":"00ab","templateId":{"packageId":"p","moduleName":"M","entityName":"T"},"createArguments":${args}},"synchronizerId":"s::1"}}`;
    const { contracts } = await readAll(bytes(event('{"fields":[{"value":{"int64":"1"}}]}')));
    expect(contracts).toHaveLength(1);
    expect(await failure(bytes(event('{"fields":[{"value":{"int64":"1","int64":"2"}}]}')))).toMatchObject({
      code: 'JSON_DUPLICATE_MEMBER',
      place: { path: 'activeContract.createdEvent.createArguments.fields[0].value' },
    });
  });
});

describe('contracts that are told wrong', () => {
  it('an event with the blob of another contract', async () => {
    const other = active[1].contractEntry.JsActiveContract.createdEvent;
    for (const change of [{ contractId: other.contractId }, { templateId: 'p:Acme.Paint:Iou' }]) {
      expect(await failure(changed({ event: change }))).toMatchObject({
        code: 'BLOB_OF_OTHER_CONTRACT',
      });
    }
  });

  it('an empty contract id', async () => {
    const [contract] = query.result;
    const json = bytes({ status: 200, result: [{ ...contract, contractId: '' }] });
    expect(await failure(json)).toMatchObject({ code: 'JSON_WRONG_TYPE', place: { path: 'contractId' } });
  });

  it('a day that its month does not have', () => {
    expect(parseMicros('2024-02-29T00:00:00Z')).toBe(1709164800000000n);
    for (const text of ['2026-02-30', '2025-02-29T12:00:00Z', '2026-04-31T00:00:00+02:00']) {
      expect(() => parseMicros(text)).toThrow(AcsError);
    }
  });
});

describe('what is no dump is called by its name', () => {
  it('an answer that failed', async () => {
    const json = bytes(
      '{"status":500,"errors":["JsonError: something went wrong, and it is told at length"]}',
    );
    for (const options of [{}, { format: 'json-api-v1' as const }]) {
      expect(await failure(json, options)).toMatchObject({ code: 'ANSWER_FAILED' });
    }
    const denied = bytes('{"code":"PERMISSION_DENIED","cause":"something","grpcCodeValue":7}');
    expect(await failure(denied)).toMatchObject({ code: 'SOURCE_UNKNOWN' });
  });

  it('a byte order mark', async () => {
    expect(await failure(bytes(`\ufeff${JSON.stringify(query)}`))).toMatchObject({
      code: 'JSON_SYNTAX',
      expected: 'JSON without a byte order mark',
    });
  });
});

describe('places', () => {
  async function* chunks(whole: Buffer, size: number): AsyncGenerator<Buffer> {
    for (let at = 0; at < whole.length; at += size) yield Buffer.from(whole.subarray(at, at + size));
  }
  const read = (whole: Buffer, size: number) => readSource(chunks(whole, size), () => undefined);

  it('an error in an element tells where the element begins, wherever chunks end', async () => {
    const [{ templateId: _, ...bad }, good] = query.result;
    const text = JSON.stringify(
      { status: 200, result: [good, good, { ...bad, contractId: 'bad' }, good] },
      null,
      1,
    );
    const at = text.lastIndexOf('{', text.indexOf('"bad"'));
    // The id does not stand first in the element.
    const start = text.lastIndexOf('\n  {', at) + 3;
    for (const size of [text.length, 1000, 64]) {
      await expect(read(Buffer.from(text), size)).rejects.toMatchObject({
        code: 'JSON_MEMBER_MISSING',
        place: { byteOffset: start, line: text.slice(0, start).split('\n').length },
      });
    }
  });

  it('an escaped slash may be cut by the end of a chunk', async () => {
    const file = readFileSync(fixture('paint/old-ledger.acs.gz'));
    const base64 = file.toString('base64');
    expect(base64).toContain('/');
    const whole = Buffer.from(`{"acs_snapshot":"${base64.replaceAll('/', '\\/')}"}`);
    for (const size of [1, 7, 1000]) {
      const parts: Buffer[] = [];
      for await (const part of streamBase64Member(chunks(whole, size), 'acs_snapshot')) parts.push(part);
      expect(Buffer.concat(parts).equals(file)).toBe(true);
    }
  });
});
