/** Recorded Ledger API streams: JSON and binary are the same bytes, and a damaged file is an error, never a guess. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BlobView } from '../../src/contract/blob.js';
import { eventBuilder } from '../../src/contract/eventFromBlob.js';
import { templateField } from '../../src/contract/eventPieces.js';
import { AcsError } from '../../src/io/error.js';
import { encodeLedgerJson } from '../../src/ledger/ledgerApiJson.js';
import { readLedgerStream } from '../../src/ledger/ledgerStream.js';
import { parseUpdate } from '../../src/ledger/updates.js';
import { RecordView } from '../../src/snapshot/record.js';
import { EVENT } from '../../src/snapshot/recordBorders.js';
import { lengthDelimited } from '../../src/wire/lengthDelimited.js';

const fixture = (name: string): string => new URL(`../../fixtures/${name}`, import.meta.url).pathname;
const inflated = (name: string): Buffer => gunzipSync(readFileSync(fixture(name)));

async function messages(input: Buffer | string): Promise<string[]> {
  const found: string[] = [];
  await readLedgerStream(input, 'GetUpdatesResponse', (buf, start, end) => {
    found.push(buf.toString('hex', start, end));
  });
  return found;
}

describe('recorded updates', () => {
  it('JSON lines give the bytes of the binary file', async () => {
    const binary = await messages(fixture('live/p1.updates.acs-delta.bin.gz'));
    expect(binary.length).toBe(32);
    expect(await messages(fixture('live/p1.updates.acs-delta.jsonl.gz'))).toEqual(binary);
    const json = inflated('live/p1.updates.acs-delta.jsonl.gz').toString();
    expect(await messages(Buffer.from(json.trimEnd()))).toEqual(binary);
    expect(await messages(Buffer.from(`\n${json.replaceAll('\n', '\r\n')}`))).toEqual(binary);
  });

  it('names in snake_case are the same', () => {
    const line = JSON.parse(
      inflated('live/p1.updates.acs-delta.jsonl.gz').toString().split('\n')[0],
    ) as object;
    const snake = (v: unknown): unknown =>
      Array.isArray(v)
        ? v.map(snake)
        : typeof v === 'object' && v !== null
          ? Object.fromEntries(
              Object.entries(v).map(([k, x]) => [
                k.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`),
                snake(x),
              ]),
            )
          : v;
    expect(encodeLedgerJson('GetUpdatesResponse', snake(line))).toEqual(
      encodeLedgerJson('GetUpdatesResponse', line),
    );
  });

  it('says where the JSON is wrong', async () => {
    const wrong = async (text: string): Promise<AcsError> =>
      messages(Buffer.from(text)).then(
        () => expect.fail('was read'),
        (error: AcsError) => error,
      );
    expect(await wrong('{"transaction": {"offset": 3.5}}')).toMatchObject({
      code: 'JSON_MESSAGE',
      place: { path: 'GetUpdatesResponse.transaction.offset', line: 1 },
    });
    expect(await wrong('{"transaction": {}}\n{"nonsense": 1}')).toMatchObject({
      code: 'JSON_MESSAGE',
      place: { line: 2 },
    });
    expect(await wrong('{"transaction": ')).toMatchObject({ code: 'JSON_SYNTAX' });
  });

  it('cut at every byte: an error or fewer messages, and no message that was not there', async () => {
    const whole = inflated('live/p3.party-replication.updates.bin.gz').subarray(0, 3000);
    const all = await messages(inflated('live/p3.party-replication.updates.bin.gz'));
    for (let n = 0; n < whole.length; n++) {
      const seen: string[] = [];
      const outcome = await readLedgerStream(
        whole.subarray(0, n),
        'GetUpdatesResponse',
        (buf, start, end) => {
          seen.push(buf.toString('hex', start, end));
        },
      ).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(AcsError);
      expect(all.slice(0, seen.length)).toEqual(seen);
    }
  });

  it('an update cut at every byte is an error or a shorter update, never a crash', () => {
    const line = inflated('live/p1.updates.acs-delta.jsonl.gz').toString().split('\n')[0];
    const first = encodeLedgerJson('GetUpdatesResponse', JSON.parse(line));
    const whole = structuredClone(parseUpdate(first, 0, first.length));
    expect(whole).toMatchObject({ kind: 'transaction', offset: 153n });
    let refused = 0;
    for (let n = 0; n < first.length; n++) {
      let cut: ReturnType<typeof parseUpdate>;
      try {
        cut = parseUpdate(first, 0, n);
      } catch (error) {
        expect(error).toBeInstanceOf(AcsError);
        refused++;
        continue;
      }
      expect(cut, `cut at ${n}`).not.toEqual(whole);
      expect(whole.events.slice(0, cut.events.length)).toEqual(cut.events);
    }
    expect(refused).toBeGreaterThan(first.length / 2);
  });
});

describe('created events from blobs', () => {
  it('every recorded event of two participants is rebuilt byte for byte', async () => {
    const builder = eventBuilder();
    const view = new RecordView();
    const blob = new BlobView();
    let events = 0;
    for (const p of [1, 2]) {
      await readLedgerStream(
        fixture(`live2/stream/p${p}.updates.acs-delta.bin.gz`),
        'GetUpdatesResponse',
        (buf, start, end) => {
          for (const event of parseUpdate(buf, start, end).events) {
            if (event.createdStart < 0) continue;
            view.parseEvent(buf, event.createdStart, event.createdEnd);
            const f = view.eventFields;
            blob.parse(buf, f[2 * EVENT.createdEventBlob], f[2 * EVENT.createdEventBlob + 1]);
            const parties = Buffer.concat([
              ...view.witnessParties.map((x) => lengthDelimited(9, x)),
              ...view.signatories.map((x) => lengthDelimited(10, x)),
              ...view.observers.map((x) => lengthDelimited(11, x)),
            ]);
            const built = builder.event(
              blob,
              f[2 * EVENT.createdEventBlob],
              f[2 * EVENT.createdEventBlob + 1],
              {
                offset: view.ledgerOffset,
                nodeId: view.nodeId,
                template: templateField(blob.templateId),
                parties,
                representative: lengthDelimited(15, view.representativePackageId),
                shape: 0,
              },
            );
            expect(built.equals(buf.subarray(event.createdStart, event.createdEnd))).toBe(true);
            events++;
          }
        },
      );
    }
    expect(events).toBeGreaterThan(500);
  });
});
