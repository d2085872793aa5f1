/** What every kind of damage leads to: the code and place that reading reports, and what `recover` saves. */
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  bytesField,
  deflated,
  flipped,
  framed,
  gzipWithFlushes,
  nestedOptional,
  offsetOf,
  replaced,
  TINY,
  TINY_FRAMES,
  varint,
  withBlob,
  withEvent,
  withFrame,
} from './build.js';

export interface DamageRow {
  damage: string;
  build(): Buffer | Promise<Buffer>;
  /** Code of the finding of `verify`; undefined when there is nothing to find. */
  code: string | undefined;
  severity?: 'error' | 'warning';
  /** Where: offsets in the file (`file`), in the inflated stream (`inflated`), or a record alone. */
  place?: { file?: number; inflated?: number; record?: number };
  /** Whether a plain reader (info, filter, diff) stops there; false when it can read on. */
  stops: boolean;
  /** Contracts that `recover` saves, or the code with which it refuses. */
  recovers: number | string;
  /** True when `recover` says that nothing is missing (exit status 0), else it ends with 3. */
  whole?: boolean;
  /** Records that `recover` knows to be lost; null when it cannot know. */
  lostRecords?: number | null;
}

const ALL = TINY_FRAMES.length;
const DATA_END = TINY.length - 8;
const inflated = gunzipSync(TINY);
const ZEROS = Buffer.alloc(1 << 20);

/** A frame whose blob's create_arg is replaced by raw bytes. */
const withRawArgument = (index: number, argument: Buffer): Buffer =>
  withBlob(index, (blob) => {
    const payload = blob.subarray(blob.indexOf(0x12, 5));
    const header = payload[1] < 0x80 ? 2 : 3;
    const instance = replaced(payload.subarray(header), 0x22, bytesField(0x22, argument));
    return Buffer.concat([Buffer.from('0a03322e31', 'hex'), bytesField(0x12, instance)]);
  });

/** The fifth record (index 4) is damaged in most rows. */
const AT = 4;
const OFFSET = offsetOf(AT);
const body = (index: number): Buffer => {
  const frame = TINY_FRAMES[index];
  return frame.subarray(varint(frame.length - 2).length);
};
const flushed = gzipWithFlushes(TINY_FRAMES);

export const DAMAGE: readonly DamageRow[] = [
  // Container
  {
    damage: 'empty file',
    build: () => Buffer.alloc(0),
    code: 'GZIP_EMPTY_FILE',
    place: { file: 0 },
    stops: true,
    recovers: 'RECOVER_NOTHING',
  },
  {
    damage: 'empty snapshot',
    build: () => gzipSync(Buffer.alloc(0)),
    code: undefined,
    stops: false,
    recovers: 0,
    whole: true,
    lostRecords: 0,
  },
  {
    damage: 'not gzip',
    build: () => Buffer.from('this is no snapshot at all'),
    code: 'GZIP_NOT_GZIP',
    place: { file: 0 },
    stops: true,
    recovers: 'RECOVER_NOTHING',
  },
  {
    damage: 'not compressed',
    build: () => inflated,
    code: 'GZIP_NOT_GZIP',
    place: { file: 0 },
    stops: true,
    recovers: ALL,
    whole: true,
    lostRecords: 0,
  },
  {
    damage: 'cut in the gzip header',
    build: () => TINY.subarray(0, 7),
    code: 'GZIP_TRUNCATED',
    place: { file: 7 },
    stops: true,
    recovers: 'RECOVER_NOTHING',
  },
  {
    damage: 'cut in the compressed data',
    build: () => TINY.subarray(0, DATA_END - 100),
    code: 'GZIP_TRUNCATED',
    place: { file: DATA_END - 100 },
    stops: true,
    recovers: ALL - 1,
    lostRecords: null,
  },
  {
    damage: 'cut before the trailer',
    build: () => TINY.subarray(0, DATA_END),
    code: 'GZIP_TRUNCATED',
    place: { file: DATA_END },
    stops: true,
    recovers: ALL,
    whole: true,
    lostRecords: 0,
  },
  {
    damage: 'cut in the trailer',
    build: () => TINY.subarray(0, DATA_END + 5),
    code: 'GZIP_TRUNCATED',
    place: { file: DATA_END + 5 },
    stops: true,
    recovers: ALL,
    whole: true,
    lostRecords: 0,
  },
  {
    damage: 'unknown method in the gzip header',
    build: () => flipped(TINY, 2, 1),
    code: 'GZIP_BAD_HEADER',
    place: { file: 2 },
    stops: true,
    recovers: ALL,
    whole: true,
    lostRecords: 0,
  },
  {
    damage: 'reserved flag in the gzip header',
    build: () => flipped(TINY, 3, 6),
    code: 'GZIP_BAD_HEADER',
    place: { file: 2 },
    stops: true,
    recovers: ALL,
    whole: true,
    lostRecords: 0,
  },
  {
    damage: 'checksum flipped',
    build: () => flipped(TINY, DATA_END),
    code: 'GZIP_BAD_CRC',
    place: { file: DATA_END },
    stops: true,
    recovers: ALL,
    lostRecords: 0,
  },
  {
    damage: 'length in the trailer flipped',
    build: () => flipped(TINY, -1),
    code: 'GZIP_BAD_LENGTH',
    place: { file: DATA_END + 4 },
    stops: true,
    recovers: ALL,
    whole: true,
    lostRecords: 0,
  },
  {
    damage: 'second gzip member',
    build: () =>
      Buffer.concat([
        gzipSync(Buffer.concat(TINY_FRAMES.slice(0, 7))),
        gzipSync(Buffer.concat(TINY_FRAMES.slice(7))),
      ]),
    code: 'GZIP_SECOND_MEMBER',
    place: { file: gzipSync(Buffer.concat(TINY_FRAMES.slice(0, 7))).length },
    stops: true,
    recovers: ALL,
    whole: true,
    lostRecords: 0,
  },
  {
    damage: 'second gzip member, cut inside a record',
    build: () => Buffer.concat([gzipSync(inflated.subarray(0, 5000)), gzipSync(inflated.subarray(5000))]),
    code: 'GZIP_SECOND_MEMBER',
    stops: true,
    recovers: ALL,
    whole: true,
    lostRecords: 0,
  },
  {
    damage: 'zero padding',
    build: () => Buffer.concat([TINY, Buffer.alloc(512)]),
    code: 'GZIP_ZERO_PADDING',
    severity: 'warning',
    place: { file: TINY.length },
    stops: false,
    recovers: ALL,
    whole: true,
    lostRecords: 0,
  },
  {
    damage: 'bytes behind the member',
    build: () => Buffer.concat([TINY, Buffer.from('trailing junk')]),
    code: 'GZIP_TRAILING_BYTES',
    severity: 'warning',
    place: { file: TINY.length },
    stops: false,
    recovers: ALL,
    whole: true,
    lostRecords: 0,
  },
  {
    damage: 'gzip bomb of zeros',
    build: () => deflated(Array.from({ length: 300 }, () => ZEROS)),
    code: 'FRAME_EMPTY',
    place: { inflated: 0, record: 0 },
    stops: true,
    recovers: 'GZIP_BOMB',
  },
  {
    damage: 'gzip bomb of well-formed records',
    build: () => {
      // In-flight records with an unknown field of 50 MiB.
      const size = 50 << 20;
      const head = Buffer.concat([varint(size + 9), Buffer.from('0a007a', 'hex'), varint(size)]);
      const frame = [head, ...Array.from({ length: 50 }, () => ZEROS), Buffer.from('101e', 'hex')];
      return deflated(Array.from({ length: 6 }, () => frame).flat());
    },
    code: 'GZIP_BOMB',
    stops: true,
    recovers: 'GZIP_BOMB',
  },
  {
    damage: 'compressed data overwritten, no flush behind it',
    build: () => Buffer.concat([TINY.subarray(0, 4000), Buffer.alloc(40, 0xff), TINY.subarray(4040)]),
    code: 'GZIP_DAMAGED',
    stops: true,
    recovers: 6,
    lostRecords: null,
  },
  {
    damage: 'compressed data overwritten, flushes behind it',
    build: () => {
      const { start, end } = flushed.pieces[AT];
      return Buffer.concat([
        flushed.bytes.subarray(0, start),
        Buffer.alloc(end - 4 - start, 0xff),
        flushed.bytes.subarray(end - 4),
      ]);
    },
    code: 'GZIP_DAMAGED',
    stops: true,
    recovers: ALL - 1,
    lostRecords: null,
  },
  {
    damage: 'compressed bytes missing, flushes behind them',
    build: () => {
      const { start, end } = flushed.pieces[AT];
      return Buffer.concat([flushed.bytes.subarray(0, start + 100), flushed.bytes.subarray(end - 200)]);
    },
    code: undefined,
    stops: true,
    recovers: ALL - 1,
    lostRecords: null,
  },
  // Frames
  {
    damage: 'length prefix of 6 bytes',
    build: () => withFrame(AT, Buffer.concat([Buffer.from('ffffffffff01', 'hex'), body(AT)])),
    code: 'FRAME_PREFIX_TOO_LONG',
    place: { inflated: OFFSET, record: AT },
    stops: true,
    recovers: ALL - 1,
    lostRecords: null,
  },
  {
    damage: 'length prefix 0',
    build: () => withFrame(AT, Buffer.from('00', 'hex')),
    code: 'FRAME_EMPTY',
    place: { inflated: OFFSET, record: AT },
    stops: true,
    recovers: ALL - 1,
    lostRecords: null,
  },
  {
    damage: 'length prefix 2^31-1',
    build: () => withFrame(AT, Buffer.concat([varint(2 ** 31 - 1), body(AT)])),
    code: 'FRAME_TOO_LONG',
    place: { inflated: OFFSET, record: AT },
    stops: true,
    recovers: ALL - 1,
    lostRecords: null,
  },
  {
    damage: '1 GiB claimed',
    build: () => withFrame(AT, Buffer.concat([varint(1 << 30), body(AT)])),
    code: 'FRAME_TOO_LONG',
    place: { inflated: OFFSET, record: AT },
    stops: true,
    recovers: ALL - 1,
    lostRecords: null,
  },
  {
    damage: '50 MB claimed, below the limit',
    build: () => withFrame(AT, Buffer.concat([varint(50_000_000), body(AT)])),
    code: 'FRAME_TRUNCATED',
    place: { inflated: OFFSET, record: AT },
    stops: true,
    recovers: ALL - 1,
    lostRecords: null,
  },
  {
    damage: 'length prefix one too large',
    build: () => withFrame(AT, Buffer.concat([varint(body(AT).length + 1), body(AT)])),
    code: undefined,
    place: { record: AT },
    stops: true,
    recovers: ALL - 1,
    lostRecords: null,
  },
  {
    damage: 'last record cut inside',
    build: () => gzipSync(inflated.subarray(0, inflated.length - 50)),
    code: 'FRAME_TRUNCATED',
    place: { inflated: offsetOf(ALL - 1), record: ALL - 1 },
    stops: true,
    recovers: ALL - 1,
    lostRecords: 1,
  },
  {
    damage: 'first half of the stream missing',
    build: () => gzipSync(inflated.subarray(OFFSET + 700)),
    code: undefined,
    stops: true,
    recovers: ALL - AT - 1,
    lostRecords: null,
  },
  // Messages
  {
    damage: 'envelope without data',
    build: () => withFrame(AT, Buffer.from('02101e', 'hex')),
    code: 'ENVELOPE_NO_DATA',
    place: { inflated: OFFSET + 1, record: AT },
    stops: true,
    recovers: ALL - 1,
    lostRecords: 1,
  },
  {
    damage: 'empty record of a contract in flight',
    build: () => withFrame(AT, Buffer.from('040a00101e', 'hex')),
    code: 'IN_FLIGHT_RECORD',
    place: { inflated: OFFSET, record: AT },
    stops: false,
    recovers: ALL - 1,
    whole: true,
    lostRecords: 0,
  },
  {
    damage: 'envelope version 31',
    build: () => withFrame(AT, framed(replaced(body(AT), 0x10, Buffer.from('101f', 'hex')))),
    code: 'ENVELOPE_VERSION',
    severity: 'warning',
    place: { record: AT },
    stops: false,
    recovers: ALL,
    whole: true,
    lostRecords: 0,
  },
  {
    damage: 'over-long varint',
    build: () => withEvent2(Buffer.concat([Buffer.from([0x10]), Buffer.alloc(10, 0xff), Buffer.from([1])])),
    code: 'WIRE_VARINT_TOO_LONG',
    place: { record: AT },
    stops: true,
    recovers: ALL - 1,
    lostRecords: 1,
  },
  {
    damage: 'group wire type',
    build: () => withEvent2(Buffer.from([0x13, 0x14])),
    code: 'WIRE_BAD_TAG',
    place: { record: AT },
    stops: true,
    recovers: ALL - 1,
    lostRecords: 1,
  },
  {
    damage: 'field longer than its message',
    build: () => withEvent2(Buffer.from([0x72, 0x7f])),
    code: 'WIRE_TRUNCATED',
    place: { record: AT },
    stops: true,
    recovers: ALL - 1,
    lostRecords: 1,
  },
  {
    damage: 'created event missing',
    build: () =>
      withFrame(
        AT,
        framed(
          Buffer.concat([
            bytesField(0x0a, bytesField(0x0a, bytesField(0x12, Buffer.from('a::b')))),
            Buffer.from('101e', 'hex'),
          ]),
        ),
      ),
    code: 'EVENT_MISSING',
    place: { record: AT },
    stops: true,
    recovers: ALL - 1,
    lostRecords: 1,
  },
  {
    damage: 'unknown field in the event',
    build: () => withEvent2(Buffer.from('d2820c00', 'hex')),
    code: 'UNKNOWN_FIELDS',
    severity: 'warning',
    place: { record: AT },
    stops: false,
    recovers: ALL,
    whole: true,
    lostRecords: 0,
  },
  // Blobs
  {
    damage: 'blob missing',
    build: () =>
      withFrame(
        AT,
        withEvent(AT, (event) => replaced(event, 0x3a, Buffer.alloc(0))),
      ),
    code: 'BLOB_MISSING',
    place: { record: AT },
    stops: false,
    recovers: ALL,
    whole: true,
    lostRecords: 0,
  },
  {
    damage: 'blob cut',
    build: () =>
      withFrame(
        AT,
        withBlob(AT, (blob) => blob.subarray(0, blob.length - 1)),
      ),
    code: 'WIRE_TRUNCATED',
    place: { record: AT },
    stops: false,
    recovers: ALL - 1,
    lostRecords: 1,
  },
  {
    damage: 'unknown field in the blob',
    build: () =>
      withFrame(
        AT,
        withBlob(AT, (blob) => Buffer.concat([blob, Buffer.from('7801', 'hex')])),
      ),
    code: 'BLOB_UNKNOWN_FIELD',
    place: { record: AT },
    stops: false,
    recovers: ALL - 1,
    lostRecords: 1,
  },
  {
    damage: 'unknown serialization version',
    build: () =>
      withFrame(
        AT,
        withBlob(AT, (blob) => Buffer.concat([Buffer.from('0a03322e39', 'hex'), blob.subarray(5)])),
      ),
    code: 'BLOB_UNSUPPORTED_VERSION',
    place: { record: AT },
    stops: false,
    recovers: ALL - 1,
    lostRecords: 1,
  },
  {
    damage: 'value nested 101 levels deep',
    build: () => withFrame(AT, withRawArgument(AT, nestedOptional(101))),
    code: 'VALUE_TOO_DEEP',
    place: { record: AT },
    stops: false,
    recovers: ALL - 1,
    lostRecords: 1,
  },
  {
    damage: 'value nested 10 000 levels deep',
    build: () => withFrame(AT, withRawArgument(AT, nestedOptional(10_000))),
    code: 'VALUE_TOO_DEEP',
    place: { record: AT },
    stops: false,
    recovers: ALL - 1,
    lostRecords: 1,
  },
  {
    damage: 'invalid UTF-8 in a text',
    build: () => withFrame(AT, withRawArgument(AT, bytesField(0x42, Buffer.from('ff', 'hex')))),
    code: 'WIRE_BAD_UTF8',
    place: { record: AT },
    stops: false,
    recovers: ALL - 1,
    lostRecords: 1,
  },
  {
    damage: 'blob and event disagree',
    build: () =>
      withFrame(
        AT,
        withEvent(AT, (event) => replaced(event, 0x6a, bytesField(0x6a, Buffer.from('another-package')))),
      ),
    code: 'EVENT_DIFFERS',
    severity: 'warning',
    place: { record: AT },
    stops: false,
    recovers: ALL,
    whole: true,
    lostRecords: 0,
  },
  {
    damage: 'contract twice',
    build: () => gzipSync(Buffer.concat([...TINY_FRAMES, TINY_FRAMES[AT]])),
    code: 'DUPLICATE_CONTRACT',
    stops: false,
    recovers: ALL + 1,
    whole: true,
    lostRecords: 0,
  },
];

/** Tiny with bytes appended to the event of record {@link AT}. */
function withEvent2(bytes: Buffer): Buffer {
  return withFrame(
    AT,
    withEvent(AT, (event) => Buffer.concat([event, bytes])),
  );
}

const PAGE_HEAD = `# Damage

What \`acs verify\` reports for each kind of damage, whether a plain reader (\`info\`, \`filter\`, \`diff\`) stops there, and
what \`acs recover\` saves of a file of ${ALL} contracts. \`recover\` ends with status 0 where everything is saved and with 3
where something is lost or a checksum speaks against the content. This page is made from \`test/damage/table.ts\`, and
every row is tested.

| damage | code | reader | saved | lost records |
|---|---|---|---|---|
`;

/** The text of docs/DAMAGE.md. */
export function damagePage(): string {
  const rows = DAMAGE.map((row) => {
    const code =
      row.code === undefined
        ? row.stops
          ? 'depends on the bytes'
          : ''
        : `\`${row.code}\`${row.severity === 'warning' ? ' (warning)' : ''}`;
    const saved =
      typeof row.recovers === 'string'
        ? `nothing: \`${row.recovers}\``
        : row.whole
          ? 'everything'
          : `${row.recovers} contracts`;
    const lost =
      row.lostRecords === undefined ? '' : row.lostRecords === null ? 'not known' : `${row.lostRecords}`;
    return `| ${row.damage} | ${code} | ${row.stops ? 'stops' : 'reads on'} | ${saved} | ${lost} |\n`;
  });
  return PAGE_HEAD + rows.join('');
}
