import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { neutralJson } from '../../src/convert/neutralJson.js';
import { readSource } from '../../src/convert/readSource.js';
import { jsonSplitter } from '../../src/wire/jsonSplitter.js';
import { fixture } from '../fixtures.js';
import { contractIdHex, createdEventV1, dumpD, serializableContract, streamV1 } from './handBuilt.js';

async function* pieces(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  const sorted = [...new Set(cuts.map((cut) => cut % bytes.length))].sort((a, b) => a - b);
  let start = 0;
  for (const cut of [...sorted, bytes.length]) {
    if (cut > start) yield Buffer.from(bytes.subarray(start, cut));
    start = Math.max(start, cut);
  }
}

async function contractsOf(input: AsyncIterable<Uint8Array> | Uint8Array): Promise<string[]> {
  const contracts: string[] = [];
  await readSource(input, (contract) => contracts.push(neutralJson(contract)));
  return contracts;
}

describe('where chunks end does not matter', () => {
  const inputs: [string, Buffer][] = [
    ['JSON API v1', readFileSync(fixture('paint/sandbox.query.json'))],
    ['JSON Ledger API v2', readFileSync(fixture('paint/json-ledger-api-v2.active-contracts.json'))],
    [
      'Ledger API v2 JSON lines',
      gunzipSync(readFileSync(fixture('live/p1.active-contracts.plain.jsonl.gz'))),
    ],
    ['Ledger API v2', readFileSync(fixture('live/p1.active-contracts.plain.bin'))],
    [
      'Ledger API v1',
      streamV1([createdEventV1(contractIdHex('ca03')), createdEventV1(contractIdHex('ca02'))]),
    ],
    [
      'format D',
      Buffer.from(
        dumpD(
          [0, 1, 2].map((version) =>
            serializableContract({ version: version as 0, contractId: contractIdHex('ca02', `0${version}`) }),
          ),
        ),
      ),
    ],
    [
      'a base64 snapshot',
      Buffer.from(
        JSON.stringify({ acs_snapshot: readFileSync(fixture('paint/old-ledger.acs.gz')).toString('base64') }),
      ),
    ],
  ];

  it.each(inputs)('%s', async (_name, bytes) => {
    const whole = await contractsOf(bytes);
    expect(whole.length).toBeGreaterThan(0);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: bytes.length - 1 }), { maxLength: 40 }), async (cuts) => {
        expect(await contractsOf(pieces(bytes, cuts))).toEqual(whole);
      }),
      { numRuns: 8 },
    );
  });
});

describe('the JSON splitter', () => {
  const item = fc.jsonValue({ maxDepth: 3 }).filter((json) => typeof json === 'object' && json !== null);

  function split(text: string, cuts: readonly number[]): { elements: unknown[]; documents: unknown[] } {
    const splitter = jsonSplitter(new Set(['result']));
    const found = { elements: [] as unknown[], documents: [] as unknown[] };
    const sink = {
      element: (buf: Buffer, start: number, end: number) =>
        void found.elements.push(JSON.parse(buf.toString('utf8', start, end))),
      document: (buf: Buffer, start: number, end: number) =>
        void found.documents.push(JSON.parse(buf.toString('utf8', start, end))),
    };
    const bytes = Buffer.from(text);
    const sorted = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
    let start = 0;
    for (const cut of [...sorted, bytes.length]) {
      splitter.push(bytes.subarray(start, cut), sink);
      start = cut;
    }
    splitter.finish();
    return found;
  }

  it('finds the elements of any array, and leaves the rest of the document whole', () => {
    fc.assert(
      fc.property(
        fc.array(item, { maxLength: 5 }),
        fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4, noNullPrototype: true }),
        fc.constantFrom(undefined, 1, '\t'),
        fc.array(fc.nat(), { maxLength: 8 }),
        (items, others, indent, cuts) => {
          const plain = (json: unknown): unknown => JSON.parse(JSON.stringify(json));
          const before = Object.fromEntries(Object.entries(others).filter(([key]) => key !== 'result'));
          const document = { ...before, result: items, after: [1, { result: [2] }] };
          expect(split(JSON.stringify(document, undefined, indent), cuts)).toEqual({
            elements: plain(items),
            documents: [plain({ ...document, result: [] })],
          });
          expect(split(JSON.stringify(items, undefined, indent), cuts)).toEqual({
            elements: plain(items),
            documents: [],
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('a document cut anywhere is refused', () => {
    const text = JSON.stringify({ a: '}]"', result: [{ b: [1, '{'] }, []], c: null });
    for (let cut = 1; cut < text.length; cut++) {
      expect(() => split(text.slice(0, cut), [])).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^JSON_/) }),
      );
    }
  });
});
