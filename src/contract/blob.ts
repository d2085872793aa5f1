/**
 * `created_event_blob`: `Versioned{version, payload}` around a `FatContractInstance` (snapshot-format spec, section 5).
 * {@link BlobView} finds the fields in one pass and checks the outer form as strictly as the real decoder; the argument
 * is left as bytes. contractInstance.ts has the form as an object.
 */
import { AcsError } from '../io/error.js';
import type { TemplateId } from '../snapshot/eventValues.js';
import { decodeUtf8, WIRE_FIXED64, WireReader } from '../wire/reader.js';
import { sameBytes } from '../wire/sameBytes.js';
import { partyProblem } from './identifier.js';

/** The marker for "now": such a contract cannot be imported. */
export const CREATED_AT_NOW = -(2n ** 63n);

export const SERIALIZATION_VERSIONS: readonly string[] = ['2.1', '2', 'dev'];

const KEY_TAG = (1001 << 3) | 2;

/** A view of one blob, reused from contract to contract. Positions are into `buf`; -1 when absent. */
export class BlobView {
  buf: Buffer = Buffer.alloc(0);
  serializationVersion = '';
  contractIdStart = 0;
  contractIdEnd = 0;
  packageNameStart = 0;
  packageNameEnd = 0;
  templateStart = -1;
  templateEnd = -1;
  argumentStart = 0;
  argumentEnd = 0;
  /** Where the 8 bytes of the creation time are; -1 for the default, 0. */
  createdAtStart = -1;
  authenticationStart = 0;
  authenticationEnd = 0;
  keyValueStart = -1;
  keyValueEnd = -1;
  keyHashStart = 0;
  keyHashEnd = 0;
  hasKey = false;
  /** Start and end of each party, in stored order. */
  readonly signatoryBorders: number[] = [];
  readonly observerBorders: number[] = [];
  readonly maintainerBorders: number[] = [];
  private readonly r = new WireReader(this.buf);

  /** Points the view at `buf[start, end)`. Throws `BLOB_*` or `WIRE_*` errors with the byte offset inside `buf`. */
  parse(buf: Buffer, start = 0, end = buf.length): this {
    return this.find(buf, start, end, true);
  }

  /** The same for a blob that was parsed before it was kept: its party lists are not looked at again, and left empty. */
  parseKept(buf: Buffer, start = 0, end = buf.length): this {
    return this.find(buf, start, end, false);
  }

  private find(buf: Buffer, start: number, end: number, parties: boolean): this {
    this.buf = buf;
    const r = this.r.reset(buf, start, end);
    let version = '';
    let payloadStart = end;
    let payloadEnd = end;
    while (r.pos < r.end) {
      const tag = r.tag();
      if (tag === 0x0a) version = shortString(r);
      else if (tag === 0x12) {
        const n = r.length();
        payloadStart = r.pos;
        payloadEnd = r.pos + n;
        r.pos = payloadEnd;
      } else throw unknownField(r, 'Versioned', tag);
    }
    if (version !== '2.1' && version !== '2' && version !== 'dev') {
      throw new AcsError('BLOB_UNSUPPORTED_VERSION', `unsupported serialization version '${version}'`, {
        byteOffset: start,
        expected: '2.1, 2 or dev',
        found: version === '' ? 'none' : version,
        hint: 'a contract of another Canton line; see docs/FORMAT.md',
      });
    }
    this.serializationVersion = version;
    r.reset(buf, payloadStart, payloadEnd);
    this.parseInstance(r, parties);
    return this;
  }

  private parseInstance(r: WireReader, parties: boolean): void {
    const buf = this.buf;
    const payloadStart = r.pos;
    this.contractIdStart = this.contractIdEnd = -1;
    this.packageNameStart = this.packageNameEnd = 0;
    this.templateStart = -1;
    this.argumentStart = this.argumentEnd = -1;
    this.createdAtStart = -1;
    this.authenticationStart = this.authenticationEnd = 0;
    this.hasKey = false;
    this.keyValueStart = this.keyValueEnd = -1;
    this.keyHashStart = this.keyHashEnd = 0;
    let signatories = 0;
    let observers = 0;
    let maintainers = 0;
    while (r.pos < r.end) {
      const tag = r.tag();
      switch (tag) {
        case 0x0a: {
          const n = r.length();
          this.contractIdStart = r.pos;
          this.contractIdEnd = r.pos += n;
          break;
        }
        case 0x12: {
          const n = r.length();
          this.packageNameStart = r.pos;
          this.packageNameEnd = r.pos += n;
          break;
        }
        case 0x1a: {
          // Canton would join both into one.
          if (this.templateStart >= 0)
            throw new AcsError('BLOB_FIELD_TWICE', 'the contract holds two template ids', {
              byteOffset: r.pos,
            });
          const n = r.length();
          this.templateStart = r.pos;
          this.templateEnd = r.pos += n;
          break;
        }
        case 0x22: {
          const n = r.length();
          this.argumentStart = r.pos;
          this.argumentEnd = r.pos += n;
          break;
        }
        case 0x2a:
          if (parties) signatories = party(r, this.signatoryBorders, signatories);
          else skipBytes(r);
          break;
        case 0x32:
          if (parties) observers = party(r, this.observerBorders, observers);
          else skipBytes(r);
          break;
        case 0x39:
          this.createdAtStart = r.pos;
          r.skip(WIRE_FIXED64);
          break;
        case 0x42: {
          const n = r.length();
          this.authenticationStart = r.pos;
          this.authenticationEnd = r.pos += n;
          break;
        }
        case 0x48:
          r.skip(0);
          break;
        case 0x4a: {
          // package_version, packed: reserved, never written, ignored by the real decoder.
          const n = r.length();
          r.pos += n;
          break;
        }
        case KEY_TAG:
          maintainers = this.parseKey(r, maintainers);
          break;
        default:
          throw unknownField(r, 'FatContractInstance', tag);
      }
    }
    cutTo(this.signatoryBorders, signatories);
    cutTo(this.observerBorders, observers);
    cutTo(this.maintainerBorders, maintainers);
    if (this.contractIdStart < 0) throw missing(payloadStart, 'contract_id (1)');
    if (this.packageNameStart === this.packageNameEnd) throw missing(payloadStart, 'package_name (2)');
    if (this.templateStart < 0) throw missing(payloadStart, 'template_id (3)');
    if (this.argumentStart < 0) throw missing(payloadStart, 'create_arg (4)');
    if (!parties) return;
    checkAscending(buf, this.signatoryBorders, 'signatories (5)');
    checkAscending(buf, this.observerBorders, 'stakeholders (6)');
    if (this.signatoryBorders.length === 0 && this.maintainerBorders.length === 0) {
      throw new AcsError('BLOB_NO_SIGNATORY', 'the contract has no signatory', {
        byteOffset: payloadStart,
        expected: 'at least one',
      });
    }
    this.checkDisjoint();
    const version = this.serializationVersion;
    if (this.hasKey) {
      const hashBytes = this.keyHashEnd - this.keyHashStart;
      if (version === '2.1' ? hashBytes !== 0 : hashBytes !== 32) {
        throw new AcsError('BLOB_BAD_KEY_HASH', 'the key hash has the wrong length', {
          byteOffset: this.keyHashStart,
          expected: version === '2.1' ? 'no key hash under version 2.1' : '32 bytes',
          found: `${hashBytes} bytes`,
        });
      }
    }
  }

  /** Returns the new length of the maintainers' borders. */
  private parseKey(r: WireReader, before: number): number {
    let maintainers = before;
    const outerEnd = r.end;
    const n = r.length();
    const start = r.pos;
    this.hasKey = true;
    r.end = r.pos + n;
    while (r.pos < r.end) {
      const tag = r.tag();
      if (tag === 0x0a) {
        const size = r.length();
        this.keyValueStart = r.pos;
        this.keyValueEnd = r.pos += size;
      } else if (tag === 0x12) maintainers = party(r, this.maintainerBorders, maintainers);
      else if (tag === 0x1a) {
        const size = r.length();
        this.keyHashStart = r.pos;
        this.keyHashEnd = r.pos += size;
      } else throw unknownField(r, 'KeyWithMaintainers', tag);
    }
    r.end = outerEnd;
    if (this.keyValueStart < 0) throw missing(start, 'key value (1001.1)');
    if (maintainers === 0) throw missing(start, 'maintainers (1001.2)');
    return maintainers;
  }

  private checkDisjoint(): void {
    const maintainers = this.maintainerBorders;
    const signatories = this.signatoryBorders;
    const observers = this.observerBorders;
    if (maintainers.length > 0) {
      this.refuseCommon(maintainers, signatories, 'maintainers', 'other signatories');
      this.refuseCommon(maintainers, observers, 'maintainers', 'observers');
    }
    this.refuseCommon(signatories, observers, 'signatories', 'observers');
  }

  private refuseCommon(a: number[], b: number[], nameA: string, nameB: string): void {
    if (a.length * b.length > 256) {
      const seen = new Set<string>();
      for (let i = 0; i < a.length; i += 2) seen.add(this.buf.toString('latin1', a[i], a[i + 1]));
      for (let j = 0; j < b.length; j += 2) {
        if (seen.has(this.buf.toString('latin1', b[j], b[j + 1])))
          throw overlap(this.buf, b[j], b[j + 1], nameA, nameB);
      }
      return;
    }
    for (let i = 0; i < a.length; i += 2) {
      for (let j = 0; j < b.length; j += 2) {
        if (a[i + 1] - a[i] === b[j + 1] - b[j] && sameBytes(this.buf, a[i], a[i + 1], this.buf, b[j])) {
          throw overlap(this.buf, b[j], b[j + 1], nameA, nameB);
        }
      }
    }
  }

  get contractId(): string {
    return this.buf.toString('hex', this.contractIdStart, this.contractIdEnd);
  }

  /** Microseconds since the epoch; {@link CREATED_AT_NOW} when not yet known. */
  get createdAt(): bigint {
    return this.createdAtStart < 0 ? 0n : this.buf.readBigInt64LE(this.createdAtStart);
  }

  /** The same as a plain number, or NaN when a double cannot hold it exactly. */
  get createdAtNumber(): number {
    const at = this.createdAtStart;
    if (at < 0) return 0;
    const { buf } = this;
    const low = buf[at] + buf[at + 1] * 0x100 + buf[at + 2] * 0x10000 + buf[at + 3] * 0x1000000;
    const high = buf[at + 4] | (buf[at + 5] << 8) | (buf[at + 6] << 16) | (buf[at + 7] << 24);
    return high >= -0x200000 && high < 0x200000 ? high * 0x100000000 + low : Number.NaN;
  }

  get packageName(): string {
    return decodeUtf8(this.buf, this.packageNameStart, this.packageNameEnd);
  }

  get templateId(): TemplateId {
    return readTemplateSegments(this.r.reset(this.buf, this.templateStart, this.templateEnd));
  }

  /** Views, not copies. */
  get createArgument(): Buffer {
    return this.buf.subarray(this.argumentStart, this.argumentEnd);
  }

  get authenticationData(): Buffer {
    return this.buf.subarray(this.authenticationStart, this.authenticationEnd);
  }

  get keyHash(): Buffer {
    return this.buf.subarray(this.keyHashStart, this.keyHashEnd);
  }

  get keyValue(): Buffer | undefined {
    return this.hasKey ? this.buf.subarray(this.keyValueStart, this.keyValueEnd) : undefined;
  }

  get nonMaintainerSignatories(): string[] {
    return this.parties(this.signatoryBorders);
  }

  get nonSignatoryStakeholders(): string[] {
    return this.parties(this.observerBorders);
  }

  /** As stored: any order, possibly repeated; a set. */
  get maintainers(): string[] {
    return this.parties(this.maintainerBorders);
  }

  /** All signatories, ascending. */
  get signatories(): string[] {
    const list = this.parties(this.signatoryBorders);
    if (!this.hasKey) return list;
    return [...new Set([...list, ...this.maintainers])].sort();
  }

  /** Signatories and observers, ascending. */
  get stakeholders(): string[] {
    return [...this.signatories, ...this.nonSignatoryStakeholders].sort();
  }

  private parties(borders: number[]): string[] {
    const list: string[] = [];
    for (let i = 0; i < borders.length; i += 2)
      list.push(this.buf.toString('latin1', borders[i], borders[i + 1]));
    return list;
  }
}

function shortString(r: WireReader): string {
  const n = r.length();
  const start = r.pos;
  r.pos += n;
  if (n === 3 && r.buf[start] === 0x32 && r.buf[start + 1] === 0x2e && r.buf[start + 2] === 0x31)
    return '2.1';
  return decodeUtf8(r.buf, start, start + n);
}

/** Puts the borders of a party at `at`; returns the place behind them. */
function party(r: WireReader, borders: number[], at: number): number {
  const n = r.length();
  const problem = partyProblem(r.buf, r.pos, r.pos + n);
  if (problem !== undefined) throw new AcsError('BLOB_BAD_PARTY', problem, { byteOffset: r.pos });
  borders[at] = r.pos;
  r.pos += n;
  borders[at + 1] = r.pos;
  return at + 2;
}

function skipBytes(r: WireReader): void {
  const n = r.length();
  r.pos += n;
}

/** Drops what is left of the record before: emptying the list first would give its memory away every time. */
function cutTo(borders: number[], length: number): void {
  if (borders.length !== length) borders.length = length;
}

function checkAscending(buf: Buffer, borders: number[], list: string): void {
  for (let i = 2; i < borders.length; i += 2) {
    if (buf.compare(buf, borders[i], borders[i + 1], borders[i - 2], borders[i - 1]) >= 0) {
      throw new AcsError('BLOB_PARTIES_NOT_ASCENDING', `the ${list} are not strictly ascending`, {
        byteOffset: borders[i],
        expected: 'sorted by bytes, no party twice',
        found: buf.toString('latin1', borders[i], borders[i + 1]),
      });
    }
  }
}

function overlap(buf: Buffer, start: number, end: number, a: string, b: string): AcsError {
  return new AcsError('BLOB_PARTY_OVERLAP', `a party is listed among the ${a} and among the ${b}`, {
    byteOffset: start,
    expected: 'disjoint lists',
    found: buf.toString('latin1', start, end),
  });
}

function missing(byteOffset: number, field: string): AcsError {
  return new AcsError('BLOB_FIELD_MISSING', `the contract lacks ${field}`, { byteOffset, expected: field });
}

export function unknownField(r: WireReader, message: string, tag: number): AcsError {
  return new AcsError('BLOB_UNKNOWN_FIELD', `${message} holds an unknown field`, {
    byteOffset: r.pos,
    expected: 'only the fields of the contract schema',
    found: `field ${tag >>> 3}, wire type ${tag & 7}`,
    hint: 'Canton refuses unknown fields in a contract; a newer line may have written it',
  });
}

/** LF `Identifier`: the package id and the name segments. */
export function readTemplateSegments(r: WireReader): TemplateId {
  let packageId = '';
  const module: string[] = [];
  const entity: string[] = [];
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x0a) packageId = r.string();
    else if (tag === 0x12) module.push(r.string());
    else if (tag === 0x1a) entity.push(r.string());
    else throw unknownField(r, 'Identifier', tag);
  }
  return { packageId, moduleName: module.join('.'), entityName: entity.join('.') };
}
