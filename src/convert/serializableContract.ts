/**
 * `SerializableContract` of Canton 2.x, all versions, as formats C, D and E hold it, and format C's record around it
 * (snapshot-format spec, sections 9.2 to 9.4).
 */
import { readTemplateSegments } from '../contract/blob.js';
import { AcsError } from '../io/error.js';
import { readTimestampMicros, type TemplateId } from '../snapshot/eventValues.js';
import { type Borders, borders } from '../wire/borders.js';
import { WireReader } from '../wire/reader.js';
import { contractParts, envelopeData, missing, readMetadata, versionedValue } from './formatB.js';
import { decodeOtherValue, LF1_VALUE } from './protobufValue.js';
import type { SourceContract, SourceFormat, SourceValue } from './sourceContract.js';

/** Transaction versions of the 2.x line. */
const LF1_VERSIONS = ['10', '11', '12', '13', '14', '15', '16', '17', 'dev'];

/** Body of a format-C frame: an envelope of version 0 around `v0.ActiveContract`. */
export function readFormatC(buf: Buffer, start: number, end: number): SourceContract {
  const data = envelopeData(buf, start, end);
  const r = new WireReader(buf, data.start, data.end);
  let domainId = '';
  let contract: Borders | undefined;
  let protocolVersion = 0;
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x08) protocolVersion = r.int32();
    else if (tag === 0x12) domainId = r.string();
    else if (tag === 0x1a) contract = borders(r);
    else r.skip(tag & 7);
  }
  if (protocolVersion === 0) throw missing(data.start, 'protocol_version (1)');
  if (contract === undefined) throw missing(data.start, 'contract (3)');
  if (domainId === '') throw missing(data.start, 'domain_id (2)');
  return readSerializableContract(buf, contract.start, contract.end, 'C', domainId);
}

/** The versioned `SerializableContract`: wrapper version 0, 1 or 2. */
export function readSerializableContract(
  buf: Buffer,
  start: number,
  end: number,
  format: SourceFormat,
  synchronizerId: string,
): SourceContract {
  const data = envelopeData(buf, start, end);
  if (data.version < 0 || data.version > 2) {
    throw new AcsError('CONTRACT_UNSUPPORTED_VERSION', `unsupported contract version ${data.version}`, {
      byteOffset: start,
      expected: '0, 1 or 2',
      found: `${data.version}`,
    });
  }
  const { contractId, instance, metadata, created, salt } = contractParts(buf, data);
  const body = readLegacyInstance(buf, instance);
  const roles = readMetadata(buf, metadata, legacyKey, LF1_VERSIONS);
  return {
    format,
    contractId,
    templateId: body.templateId,
    ...(body.packageName === '' ? {} : { packageName: body.packageName }),
    argument: body.argument,
    ...roles,
    createdAt: readTimestampMicros(new WireReader(buf, created.start, created.end)),
    ...(salt === undefined ? {} : { legacySalt: readSalt(buf, salt) }),
    synchronizerId,
    lfLine: '1',
  };
}

function legacyValue(buf: Buffer, start: number, end: number): SourceValue {
  return { form: 'value', value: decodeOtherValue(buf, start, end, LF1_VALUE) };
}

function legacyKey(bytes: Buffer): SourceValue {
  return legacyValue(bytes, 0, bytes.length);
}

function readLegacyInstance(
  buf: Buffer,
  { start, end }: Borders,
): { templateId: TemplateId; argument: SourceValue; packageName: string } {
  const r = new WireReader(buf, start, end);
  let templateId: TemplateId | undefined;
  let argument: SourceValue | undefined;
  let packageName = '';
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x0a) {
      const inner = borders(r);
      templateId = readTemplateSegments(new WireReader(buf, inner.start, inner.end));
    } else if (tag === 0x12) {
      const inner = borders(r);
      const { bytes } = versionedValue(buf, inner.start, inner.end, LF1_VERSIONS);
      argument = legacyValue(bytes, 0, bytes.length);
    } else if (tag === 0x22) packageName = r.string();
    else r.skip(tag & 7);
  }
  if (templateId === undefined) throw missing(start, 'template_id');
  if (argument === undefined) throw missing(start, 'arg_versioned');
  return { templateId, argument, packageName };
}

/** The 32 bytes of a `Salt{1 hmac, 2 salt}`. */
export function readSalt(buf: Buffer, { start, end }: Borders): Buffer {
  const r = new WireReader(buf, start, end);
  let salt: Buffer | undefined;
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x12) salt = Buffer.from(r.bytes());
    else r.skip(tag & 7);
  }
  if (salt === undefined || salt.length !== 32) {
    throw new AcsError('SALT_MALFORMED', 'a contract has a malformed salt', {
      byteOffset: start,
      expected: '32 bytes',
      found: `${salt?.length ?? 0} bytes`,
    });
  }
  return salt;
}
