import { describe, expect, it } from 'vitest';
import { decodeBlob } from '../../src/contract/contractInstance.js';
import { ContractView } from '../../src/contract/contractView.js';
import { eventComparer } from '../../src/contract/eventAgainstBlob.js';
import { type CreatedEventParts, encodeRecord } from '../../src/snapshot/encodeRecord.js';
import { RecordView } from '../../src/snapshot/record.js';
import { EVENT } from '../../src/snapshot/recordBorders.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { fixture } from '../fixtures.js';

/** The parts of every record of the small fixture, so that single ones can be changed. */
async function parts(): Promise<CreatedEventParts[]> {
  const found: CreatedEventParts[] = [];
  await scanSnapshot(fixture('snapshots/tiny.acs.gz'), (record) => {
    const copy = (field: number): Buffer | undefined => {
      const bytes = record.bytesField(field);
      return bytes === undefined ? undefined : Buffer.from(bytes);
    };
    const event: CreatedEventParts = {
      offset: record.ledgerOffset,
      nodeId: record.nodeId,
      contractId: record.contractId,
      templateId: record.templateId,
      createdEventBlob: copy(EVENT.createdEventBlob) as Buffer,
      createArguments: copy(EVENT.createArguments) as Buffer,
      witnessParties: record.witnessParties,
      signatories: record.signatories,
      observers: record.observers,
      createdAt: record.createdAtMicros,
      packageName: record.packageName,
      acsDelta: record.acsDelta,
      representativePackageId: record.representativePackageId,
    } as CreatedEventParts;
    const key = copy(EVENT.contractKey);
    if (key !== undefined) event.contractKey = key;
    const hash = copy(EVENT.contractKeyHash);
    if (hash !== undefined) event.contractKeyHash = hash;
    found.push(event);
  });
  return found;
}

function differences(createdEvent: CreatedEventParts): string[] {
  const frame = encodeRecord({ synchronizerId: 'a::b', reassignmentCounter: 0n, createdEvent });
  let bodyStart = 0;
  while (frame[bodyStart++] >= 0x80);
  const record = new RecordView().parse(frame, 0, bodyStart, frame.length, 0, 0);
  return eventComparer()(new ContractView().of(record)).map((d) => d.field);
}

describe('the event against the blob', () => {
  it('agrees for every record, whole or minimal', async () => {
    for (const event of await parts()) {
      expect(differences(event)).toEqual([]);
      expect(differences({ contractId: event.contractId, createdEventBlob: event.createdEventBlob })).toEqual(
        [],
      );
    }
  });

  it('names the field that differs', async () => {
    const all = await parts();
    const [event] = all;
    const other = all[all.length - 1];
    const party = 'someone::1220';
    expect(differences({ ...event, contractId: other.contractId })).toEqual(['contractId']);
    expect(differences({ ...event, packageName: 'other' })).toEqual(['packageName']);
    expect(differences({ ...event, createdAt: 1n })).toEqual(['createdAt']);
    expect(differences({ ...event, signatories: [party] })).toEqual(['signatories']);
    expect(differences({ ...event, observers: [...(event.observers ?? []), party] })).toEqual(['observers']);
    expect(differences({ ...event, observers: [...(event.observers ?? [])].reverse() })).toEqual([]);
    expect(
      differences({ ...event, templateId: { packageId: 'x', moduleName: 'M', entityName: 'E' } }),
    ).toEqual(['templateId']);
    expect(differences({ ...event, createArguments: other.createArguments as Buffer })).toEqual([
      'createArguments',
    ]);
    const keyed = all.find((e) => e.contractKey !== undefined) as CreatedEventParts;
    expect(decodeBlob(Buffer.from(keyed.createdEventBlob)).key).toBeDefined();
    const { contractKey: _, ...unkeyed } = keyed;
    expect(differences(unkeyed)).toEqual(['contractKey']);
    expect(differences({ ...keyed, contractKeyHash: Buffer.alloc(32) })).toEqual(['contractKeyHash']);
  });

  it('sees a change of any byte of the arguments', async () => {
    let seen = 0;
    for (const event of await parts()) {
      const bytes = Buffer.from(event.createArguments as Buffer);
      for (let i = 0; i < bytes.length; i++) {
        bytes[i] ^= 0x01;
        try {
          if (differences({ ...event, createArguments: bytes }).includes('createArguments')) seen++;
          // A flip in a tag can turn a member into an unknown field or make it unreadable, never into an equal value.
          else throw new Error(`byte ${i} of ${event.contractId} is not seen`);
        } catch (error) {
          if ((error as { code?: string }).code === undefined) throw error;
        }
        bytes[i] ^= 0x01;
      }
    }
    expect(seen).toBeGreaterThan(1000);
  });
});
