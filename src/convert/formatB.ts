/** Records of format B: `ActiveContractOld` of Canton 3.0 to 3.4 (snapshot-format spec, section 9.1). */

import { readTemplateSegments } from '../contract/blob.js';
import { AcsError } from '../io/error.js';
import { readTimestampMicros, type TemplateId } from '../snapshot/eventValues.js';
import { type Borders, borders } from '../wire/borders.js';
import { WireReader } from '../wire/reader.js';
import { readVersionedMessage } from '../wire/versionedMessage.js';
import { WireWriter } from '../wire/writer.js';
import type { SourceContract, SourceKey } from './sourceContract.js';

/** Reads the body of a frame (an envelope). Errors: `ENVELOPE_*`, `RECORD_*`, `WIRE_*`. */
export function readFormatB(buf: Buffer, start: number, end: number): SourceContract {
  const data = envelopeData(buf, start, end);
  const r = new WireReader(buf, data.start, data.end);
  let synchronizerId = '';
  let contract: Borders | undefined;
  let reassignmentCounter = 0n;
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x0a) synchronizerId = r.string();
    else if (tag === 0x12) contract = borders(r);
    else if (tag === 0x18) reassignmentCounter = r.int64();
    else r.skip(tag & 7);
  }
  if (contract === undefined) throw missing(data.start, 'contract (2)');
  return readContract(buf, contract, synchronizerId, reassignmentCounter);
}

/** The data of an `UntypedVersionedMessage`, and its version (0 when absent). */
export function envelopeData(buf: Buffer, start: number, end: number): Borders & { version: number } {
  const { data, version } = readVersionedMessage(new WireReader(buf, start, end));
  if (data === undefined) {
    throw new AcsError('ENVELOPE_NO_DATA', 'a versioned message has no data field', {
      byteOffset: start,
      expected: 'field 1 (data)',
    });
  }
  return { ...data, version };
}

export function missing(byteOffset: number, field: string): AcsError {
  return new AcsError('RECORD_FIELD_MISSING', `a contract lacks ${field}`, { byteOffset, expected: field });
}

interface ContractParts {
  contractId: string;
  instance: Borders;
  metadata: Borders;
  created: Borders;
  salt: Borders | undefined;
}

/** The fields of a `SerializableContract`, the same in all versions. */
export function contractParts(buf: Buffer, { start, end }: Borders): ContractParts {
  const r = new WireReader(buf, start, end);
  let contractId = '';
  let instance: Borders | undefined;
  let metadata: Borders | undefined;
  let created: Borders | undefined;
  let salt: Borders | undefined;
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x0a) contractId = r.string();
    else if (tag === 0x12) instance = borders(r);
    else if (tag === 0x1a) metadata = borders(r);
    else if (tag === 0x22) created = borders(r);
    else if (tag === 0x2a) salt = borders(r);
    else r.skip(tag & 7);
  }
  if (contractId === '') throw missing(start, 'contract_id (1)');
  if (instance === undefined) throw missing(start, 'raw_contract_instance (2)');
  if (metadata === undefined) throw missing(start, 'metadata (3)');
  if (created === undefined) throw missing(start, 'ledger_create_time (4)');
  return { contractId, instance, metadata, created, salt };
}

function readContract(
  buf: Buffer,
  contract: Borders,
  synchronizerId: string,
  reassignmentCounter: bigint,
): SourceContract {
  const { contractId, instance, metadata, created, salt } = contractParts(buf, contract);
  const body = readInstance(buf, instance);
  const roles = readMetadata(buf, metadata, (bytes) => ({ form: 'bytes', bytes }));
  return {
    format: 'B',
    contractId,
    templateId: body.templateId,
    packageName: body.packageName,
    argument: { form: 'bytes', bytes: body.argument },
    ...roles,
    createdAt: readTimestampMicros(new WireReader(buf, created.start, created.end)),
    ...(salt === undefined
      ? {}
      : { authenticationData: authenticationData(contractId, buf.subarray(salt.start, salt.end)) }),
    synchronizerId,
    reassignmentCounter,
    representativePackageId: body.templateId.packageId,
    lfLine: '2',
  };
}

/** A `ThinContractInstance`: template, versioned value, package name. Unknown fields are refused as Canton does. */
function readInstance(
  buf: Buffer,
  { start, end }: Borders,
): { templateId: TemplateId; argument: Buffer; packageName: string } {
  const r = new WireReader(buf, start, end);
  let templateId: TemplateId | undefined;
  let argument: Buffer | undefined;
  let packageName = '';
  while (r.pos < r.end) {
    const at = r.pos;
    const tag = r.tag();
    if (tag === 0x0a) {
      const { start: s, end: e } = borders(r);
      templateId = readTemplateSegments(new WireReader(buf, s, e));
    } else if (tag === 0x12) {
      const { start: s, end: e } = borders(r);
      argument = versionedValue(buf, s, e, ['2.1', 'dev']).bytes;
    } else if (tag === 0x1a) r.skip(2);
    else if (tag === 0x22) packageName = r.string();
    else throw unknown(at, tag);
  }
  if (templateId === undefined) throw missing(start, 'template_id');
  if (argument === undefined) throw missing(start, 'arg_versioned');
  if (packageName === '') throw missing(start, 'package_name');
  return { templateId, argument, packageName };
}

function unknown(byteOffset: number, tag: number): AcsError {
  return new AcsError('BLOB_UNKNOWN_FIELD', 'the contract instance holds an unknown field', {
    byteOffset,
    expected: 'only the fields of the contract schema',
    found: `field ${tag >>> 3}, wire type ${tag & 7}`,
  });
}

/** `VersionedValue{1 version, 2 value bytes}`; the version must be one of those given. */
export function versionedValue(
  buf: Buffer,
  start: number,
  end: number,
  versions: readonly string[],
): { version: string; bytes: Buffer } {
  const r = new WireReader(buf, start, end);
  let version = '';
  let bytes: Buffer | undefined;
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x0a) version = r.string();
    else if (tag === 0x12) bytes = r.bytes();
    else r.skip(tag & 7);
  }
  if (!versions.includes(version)) {
    throw new AcsError('VALUE_UNSUPPORTED_VERSION', `unsupported value version '${version}'`, {
      byteOffset: start,
      expected: versions.join(', '),
      found: version === '' ? 'none' : version,
    });
  }
  if (bytes === undefined) throw missing(start, 'a versioned value');
  return { version, bytes };
}

/** `Metadata`: signatories = 1 ∪ 4, observers = 2; both lists come in any order. */
export function readMetadata(
  buf: Buffer,
  { start, end }: Borders,
  keyValue: (bytes: Buffer, version: string) => SourceKey['value'],
  keyVersions: readonly string[] = ['2.1', 'dev'],
): Pick<SourceContract, 'signatories' | 'observers' | 'key'> {
  const r = new WireReader(buf, start, end);
  const signatories = new Set<string>();
  const others = new Set<string>();
  const maintainers = new Set<string>();
  let key: SourceKey['value'] | undefined;
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x0a) signatories.add(r.string());
    else if (tag === 0x12) others.add(r.string());
    else if (tag === 0x1a) {
      const inner = borders(r);
      key = readGlobalKey(buf, inner, keyValue, keyVersions);
    } else if (tag === 0x22) maintainers.add(r.string());
    else r.skip(tag & 7);
  }
  if (key === undefined && maintainers.size > 0) {
    throw new AcsError('KEY_MISSING', 'a contract has maintainers but no key', { byteOffset: start });
  }
  if (key !== undefined && maintainers.size === 0) {
    throw new AcsError('KEY_WITHOUT_MAINTAINERS', 'a contract has a key without maintainers', {
      byteOffset: start,
    });
  }
  for (const party of maintainers) signatories.add(party);
  const roles = {
    signatories: [...signatories].sort(),
    observers: [...others].filter((party) => !signatories.has(party)).sort(),
  };
  return key === undefined ? roles : { ...roles, key: { value: key, maintainers: [...maintainers].sort() } };
}

function readGlobalKey(
  buf: Buffer,
  { start, end }: Borders,
  keyValue: (bytes: Buffer, version: string) => SourceKey['value'],
  versions: readonly string[],
): SourceKey['value'] {
  const r = new WireReader(buf, start, end);
  let value: Borders | undefined;
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x12) value = borders(r);
    else r.skip(tag & 7);
  }
  if (value === undefined) throw missing(start, 'the key value');
  const { version, bytes } = versionedValue(buf, value.start, value.end, versions);
  return keyValue(bytes, version);
}

/**
 * `authentication_data` as a blob holds it: for a V1 id the stored `Salt` inside its two envelopes; for a V2 id the
 * bytes as they are (snapshot-format spec, 5.6).
 */
function authenticationData(contractId: string, stored: Buffer): Buffer {
  if (contractId.startsWith('01')) return Buffer.from(stored);
  return saltEnvelope(stored);
}

/** The envelopes of {@link authenticationData} around a serialized `Salt`. */
export function saltEnvelope(salt: Buffer): Buffer {
  const w = new WireWriter(salt.length + 8);
  w.messageField(1, () => w.bytesField(1, salt));
  return w.byte(0x10).byte(30).finish();
}

/** The `Salt` message of 32 salt bytes. */
export function saltMessage(salt: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x08, 0x01, 0x12, salt.length]), salt]);
}
