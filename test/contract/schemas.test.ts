/** The hand-written decoders against protobufjs reading the same bytes with the schemas of `schemas/proto`. */
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { decodeBlob, encodeBlob } from '../../src/contract/contractInstance.js';
import type { LfValue } from '../../src/contract/value.js';
import { decodeValue } from '../../src/contract/valueDecoder.js';
import { encodeValue } from '../../src/contract/valueEncoder.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { fixture } from '../fixtures.js';

const root = protobuf.loadSync(
  ['snapshot.proto', 'contract.proto'].map((name) =>
    fileURLToPath(new URL(`../../schemas/proto/${name}`, import.meta.url)),
  ),
);
const TO_OBJECT = { longs: String, defaults: false, oneofs: true } as const;

function decode<T>(type: string, bytes: Uint8Array): T {
  const messageType = root.lookupType(type);
  return messageType.toObject(messageType.decode(bytes), TO_OBJECT) as T;
}

interface Event {
  contractId: string;
  templateId: { packageId: string; moduleName: string; entityName: string };
  createdEventBlob: Buffer;
  witnessParties?: string[];
  signatories?: string[];
  observers?: string[];
  createdAt: { seconds: string; nanos?: number };
  offset: string;
  nodeId?: number;
  packageName: string;
  representativePackageId: string;
}

interface FatInstance {
  contractId: Buffer;
  packageName: string;
  templateId: { packageId: string; moduleName: string[]; name: string[] };
  createArg: Buffer;
  nonMaintainerSignatories?: string[];
  nonSignatoryStakeholders?: string[];
  createdAt: string;
  authenticationData: Buffer;
  contractKeyWithMaintainers?: { key: Buffer; maintainers: string[]; hash: Buffer };
}

interface ProtoValue {
  sum: string;
  [member: string]: unknown;
}

/** protobufjs' object form of a value as our model. */
function fromProto(value: ProtoValue): LfValue {
  const inner = value[value.sum] as never;
  const message = inner as { value?: ProtoValue; constructor: string };
  const list = <T>(key: string): T[] => (inner as Record<string, T[]>)[key] ?? [];
  switch (value.sum) {
    case 'unit':
      return { kind: 'unit' };
    case 'bool':
    case 'date':
    case 'numeric':
    case 'party':
    case 'text':
      return { kind: value.sum, value: inner } as LfValue;
    case 'int64':
    case 'timestamp':
      return { kind: value.sum, value: BigInt(inner as string) };
    case 'contractId':
      return { kind: 'contractId', value: Buffer.from(inner as Uint8Array).toString('hex') };
    case 'optional':
      return { kind: 'optional', value: message.value === undefined ? null : fromProto(message.value) };
    case 'list':
      return { kind: 'list', items: list<ProtoValue>('elements').map(fromProto) };
    case 'map':
      return {
        kind: 'genMap',
        entries: list<{ key: ProtoValue; value: ProtoValue }>('entries').map((e) => [
          fromProto(e.key),
          fromProto(e.value),
        ]),
      };
    case 'textMap':
      return {
        kind: 'textMap',
        entries: list<{ key?: string; value: ProtoValue }>('entries').map((e) => [
          e.key ?? '',
          fromProto(e.value),
        ]),
      };
    case 'record':
      return { kind: 'record', fields: list<{ value: ProtoValue }>('fields').map((f) => fromProto(f.value)) };
    case 'variant':
      return { kind: 'variant', tag: message.constructor, value: fromProto(message.value as ProtoValue) };
    case 'enum':
      return { kind: 'enum', tag: message.constructor };
    default:
      throw new Error(`no member: ${value.sum}`);
  }
}

describe('the decoders against protobufjs and schemas/proto', () => {
  it.each([
    'snapshots/tiny.acs.gz',
    'snapshots/tiny-verbose.acs.gz',
    'snapshots/two-synchronizers.acs.gz',
    'live/p1.export-acs.no-party-filter.acs.gz',
  ])('%s', async (file) => {
    let contracts = 0;
    await scanSnapshot(fixture(file), (record) => {
      if (record.inFlight) return;
      contracts++;
      const active = decode<{ createdEvent: Event; synchronizerId: string; reassignmentCounter?: string }>(
        'acskit.snapshot.ActiveContract',
        record.buf.subarray(record.lapiStart, record.lapiEnd),
      );
      const event = active.createdEvent;
      expect(record.synchronizerId).toBe(active.synchronizerId);
      expect(record.reassignmentCounter).toBe(BigInt(active.reassignmentCounter ?? 0));
      expect(record.contractId).toBe(event.contractId);
      expect(record.templateId).toEqual(event.templateId);
      expect(record.witnessParties).toEqual(event.witnessParties ?? []);
      expect(record.signatories).toEqual(event.signatories ?? []);
      expect(record.observers).toEqual(event.observers ?? []);
      expect(record.ledgerOffset).toBe(BigInt(event.offset));
      expect(record.nodeId).toBe(event.nodeId ?? 0);
      expect(record.packageName).toBe(event.packageName);
      expect(record.representativePackageId).toBe(event.representativePackageId);
      const { seconds, nanos = 0 } = event.createdAt;
      expect(record.createdAtMicros).toBe(BigInt(seconds) * 1_000_000n + BigInt(nanos / 1000));

      const blob = Buffer.from(event.createdEventBlob);
      const { version, payload } = decode<{ version: string; payload: Buffer }>(
        'acskit.contract.Versioned',
        blob,
      );
      const fat = decode<FatInstance>('acskit.contract.FatContractInstance', payload);
      const ours = decodeBlob(blob);
      expect(ours.serializationVersion).toBe(version);
      expect(ours.contractId).toBe(Buffer.from(fat.contractId).toString('hex'));
      expect(ours.packageName).toBe(fat.packageName);
      expect(ours.templateId).toEqual({
        packageId: fat.templateId.packageId,
        moduleName: fat.templateId.moduleName.join('.'),
        entityName: fat.templateId.name.join('.'),
      });
      expect(ours.nonMaintainerSignatories).toEqual(fat.nonMaintainerSignatories ?? []);
      expect(ours.nonSignatoryStakeholders).toEqual(fat.nonSignatoryStakeholders ?? []);
      expect(ours.createdAt).toBe(BigInt(fat.createdAt));
      expect(ours.authenticationData.equals(fat.authenticationData)).toBe(true);
      const key = fat.contractKeyWithMaintainers;
      expect(ours.key === undefined).toBe(key === undefined);
      if (key !== undefined) {
        expect(ours.key?.maintainers).toEqual(key.maintainers);
        expect(ours.key?.hash.equals(key.hash)).toBe(true);
        expect(decodeValue(Buffer.from(key.key))).toEqual(
          fromProto(decode('acskit.contract.Value', key.key)),
        );
      }
      expect(decodeValue(ours.createArgument)).toEqual(
        fromProto(decode('acskit.contract.Value', fat.createArg)),
      );
      expect(encodeValue(decodeValue(ours.createArgument)).equals(ours.createArgument)).toBe(true);
      expect(encodeBlob(ours).equals(blob)).toBe(true);
    });
    expect(contracts).toBeGreaterThan(0);
  });
});
