/** Frames of records to change and to make: of real participants, and by hand with whatever parts. */
import fc from 'fast-check';
import { encodeBlob } from '../../src/contract/contractInstance.js';
import { encodeValue } from '../../src/contract/valueEncoder.js';
import { valueTranscoder } from '../../src/contract/valueTranscoder.js';
import { encodeRecord } from '../../src/snapshot/encodeRecord.js';
import { scanFrames } from '../../src/snapshot/scan.js';
import { ForwardWriter } from '../../src/wire/forwardWriter.js';

export async function framesOf(file: string): Promise<Buffer[]> {
  const frames: Buffer[] = [];
  await scanFrames(file, (buf, start, _body, end) => frames.push(Buffer.from(buf.subarray(start, end))), {
    members: 'all',
  });
  return frames;
}

/** The frame around another body. */
export function framed(body: Buffer): Buffer {
  const prefix: number[] = [];
  let rest = body.length;
  for (; rest >= 0x80; rest >>>= 7) prefix.push((rest & 0x7f) | 0x80);
  prefix.push(rest);
  return Buffer.concat([Buffer.from(prefix), body]);
}

const writer = new ForwardWriter();
const values = valueTranscoder(writer);

/** The Ledger API form of a serialized record. */
export function lapiRecord(argument: Buffer): Buffer {
  writer.at = 0;
  writer.copyFrom(argument);
  values.createArguments(argument, 0, argument.length);
  const field = Buffer.from(writer.bytes.subarray(0, writer.at));
  return field.subarray(1 + field.subarray(1).findIndex((b) => b < 0x80) + 1);
}

const PACKAGE = 'ab'.repeat(32);
export const usual = {
  synchronizerId: `sync::1220${'cd'.repeat(32)}`,
  reassignmentCounter: 0n,
  contractId: `00${'11'.repeat(32)}ca121220${'22'.repeat(32)}`,
  packageName: 'test',
  templateId: { packageId: PACKAGE, moduleName: 'Test.Main', entityName: 'Thing' },
  signatories: ['alice::1220aa'],
  observers: ['bob::1220bb', 'carol::1220cc'],
  createdAt: 1_700_000_000_123_456n,
  representativePackageId: PACKAGE,
  argument: encodeValue({ kind: 'record', fields: [] }),
};
export type Parts = typeof usual;

/** A record whose event and blob say the same, true or not. */
export function record(parts: Parts, lapi = lapiRecord(parts.argument)): Buffer {
  const { signatories, observers, contractId, templateId, packageName, createdAt } = parts;
  return encodeRecord({
    synchronizerId: parts.synchronizerId,
    reassignmentCounter: parts.reassignmentCounter,
    createdEvent: {
      offset: 77n,
      nodeId: 3,
      contractId,
      templateId,
      createArguments: lapi,
      createdEventBlob: encodeBlob({
        serializationVersion: '2.1',
        contractId,
        packageName,
        templateId,
        createArgument: parts.argument,
        nonMaintainerSignatories: signatories,
        nonSignatoryStakeholders: observers,
        createdAt,
        authenticationData: Buffer.from('0a', 'hex'),
      }),
      witnessParties: ['alice::1220aa'],
      signatories,
      observers,
      createdAt,
      packageName,
      acsDelta: true,
      representativePackageId: parts.representativePackageId,
    },
  });
}

const party = fc.constantFrom(
  'alice::1220aa',
  'alice::1220aaa',
  'bob',
  'a-party with 16b',
  'a long party id whose bytes do not fit::1220',
  'a long party id whose bytes do not fit::1221',
  'x'.repeat(255),
  'x'.repeat(256),
  '',
  'no@party',
  'a long party id whose bytes do not fit::122/',
  'ümlaut',
);
export const anyParts: fc.Arbitrary<Parts> = fc.record({
  synchronizerId: fc.constantFrom(
    usual.synchronizerId,
    'other::1220',
    'none',
    `${usual.synchronizerId}::35-0`,
    '',
  ),
  reassignmentCounter: fc.constantFrom(0n, 1n, 127n, 128n, 2n ** 63n),
  contractId: fc.constantFrom(
    usual.contractId,
    usual.contractId.replace('ca12', 'ca11'),
    usual.contractId.replace('ca12', 'ca03'),
    usual.contractId.replace('ca12', 'cb12'),
    usual.contractId.slice(0, 66),
    `${usual.contractId}00`,
    `01${'33'.repeat(12)}80${'44'.repeat(32)}`,
    `01${'33'.repeat(12)}00${'44'.repeat(32)}`,
    `01${'33'.repeat(12)}`,
    '',
  ),
  packageName: fc.constantFrom('test', 'a-longer-name-of-a-package', ''),
  templateId: fc.constantFrom(
    usual.templateId,
    { ...usual.templateId, entityName: 'Other' },
    { packageId: '', moduleName: 'M', entityName: 'E' },
  ),
  signatories: fc.array(party, { maxLength: 3 }),
  observers: fc.array(party, { maxLength: 4 }),
  createdAt: fc.constantFrom(
    usual.createdAt,
    1n,
    0n,
    -1n,
    2n ** 53n - 1n,
    2n ** 53n,
    -(2n ** 63n),
    253402300800000000n,
  ),
  representativePackageId: fc.constantFrom(PACKAGE, 'cd'.repeat(32), ''),
  argument: fc.constantFrom(usual.argument, encodeValue({ kind: 'unit' }), Buffer.alloc(0)),
});
