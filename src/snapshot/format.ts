/**
 * Telling snapshot formats apart by their first bytes (snapshot-format spec, section 1.1), and the other forms in which
 * active contracts are met (Scan).
 */
import { AcsError } from '../io/error.js';
import { looksLikeGzip } from '../wire/gzipHeader.js';
import { WIRE_BYTES, WIRE_VARINT, WireReader } from '../wire/reader.js';

/**
 * A: current; B: 3.0–3.4 `ActiveContractOld`; C: 2.8–2.10; D and E: 2.5–2.10 text; empty: zero records;
 * `scan-json` / `scan-ndjson` / `json`: answers of HTTP interfaces; `zstd`: compressed, most likely Scan's bulk NDJSON.
 */
export type SnapshotFormat =
  | 'A'
  | 'B'
  | 'C'
  | 'D'
  | 'E'
  | 'empty'
  | 'zstd'
  | 'scan-json'
  | 'ndjson'
  | 'json'
  | 'unknown';

export const FORMAT_NAMES: Record<SnapshotFormat, string> = {
  A: 'A, current snapshot (Canton 3.3 and later)',
  B: 'B, old snapshot (Canton 3.0 to 3.4, ExportAcsOld)',
  C: 'C, snapshot of Canton 2.8 to 2.10',
  D: 'D, text dump of Canton 2.7 to 2.10 (repair.download)',
  E: 'E, text dump of Canton 2.5 to 2.6 (repair.download)',
  empty: 'empty snapshot',
  zstd: 'zstd-compressed data (Scan bulk NDJSON)',
  'scan-json': 'Scan ACS response (JSON with base64 blobs)',
  ndjson: 'JSON lines',
  json: 'JSON',
  unknown: 'unknown',
};

/** Classifies inflated bytes: the beginning of the stream, at least its first frame or 64 KiB of it. */
export function detectInflated(head: Buffer, whole = false): SnapshotFormat {
  if (head.length === 0) return 'empty';
  if (head.subarray(0, 10).toString('latin1') === 'domain-id:') return 'E';
  const text = detectText(head);
  if (text !== undefined) return text;
  return detectFrames(head, whole);
}

/** Classifies a file by its stored bytes when it is not gzip. */
export function detectStored(head: Buffer): SnapshotFormat | 'gzip' {
  if (looksLikeGzip(head)) return 'gzip';
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return 'zstd';
  return detectInflated(head);
}

function detectText(head: Buffer): SnapshotFormat | undefined {
  const lineEnd = head.indexOf(0x0a);
  const line = head.subarray(0, lineEnd < 0 ? head.length : lineEnd);
  const first = head.subarray(0, 256).toString('latin1').trimStart();
  if (first.startsWith('{') || first.startsWith('[')) {
    // A frame of length 0x7b or 0x5b also starts with these characters; its second byte is 0a.
    if (head[1] === 0x0a && detectFrames(head, false) !== 'unknown') return undefined;
    const sample = head.subarray(0, 64 * 1024).toString('latin1');
    if (sample.includes('"created_event_blob"') || sample.includes('"created_events"')) return 'scan-json';
    return /^\s*\{.*\}\s*\n\s*\{/.test(sample) ? 'ndjson' : 'json';
  }
  if (
    line.every((b) => b >= 0x20 && b < 0x7f) &&
    /^[^\n]+::[^\n]+:::[A-Za-z0-9+/=]+$/.test(line.toString('latin1'))
  ) {
    return 'D';
  }
  return undefined;
}

function detectFrames(head: Buffer, whole: boolean): SnapshotFormat {
  const r = new WireReader(head);
  let sawInFlight = false;
  try {
    while (r.pos < head.length) {
      const length = r.uint32();
      const end = r.pos + length;
      if (length === 0) return 'unknown';
      if (end > head.length && whole) return 'unknown';
      const found = detectEnvelope(head, r.pos, Math.min(end, head.length), end > head.length);
      if (found !== 'in-flight') return found;
      sawInFlight = true;
      r.pos = end;
    }
  } catch (error) {
    if (!(error instanceof AcsError)) throw error;
    return sawInFlight ? 'A' : 'unknown';
  }
  return sawInFlight ? 'A' : 'unknown';
}

function detectEnvelope(
  head: Buffer,
  start: number,
  end: number,
  cut: boolean,
): SnapshotFormat | 'in-flight' {
  const r = new WireReader(head, start, end);
  if (r.tag() !== 0x0a) return 'unknown';
  const dataLength = r.uint32();
  const dataStart = r.pos;
  const dataEnd = dataStart + dataLength;
  if (dataEnd > end && !cut) return 'unknown';
  if (dataLength === 0) return 'in-flight';
  const versioned = dataEnd + 2 <= end ? head[dataEnd] === 0x10 : undefined;
  if (!cut && dataEnd !== end && versioned !== true) return 'unknown';
  const inner = new WireReader(head, dataStart, Math.min(dataEnd, end));
  const tag = inner.tag();
  if (tag === ((1 << 3) | WIRE_VARINT)) return 'C';
  if (tag !== ((1 << 3) | WIRE_BYTES)) return 'unknown';
  const firstLength = inner.uint32();
  const firstStart = inner.pos;
  if (firstStart + firstLength === dataEnd)
    return head[firstStart] === 0x0a || firstLength === 0 ? 'A' : 'unknown';
  // What has neither a version nor a message inside is no envelope: a stream of updates begins so.
  if (!cut && versioned !== true && head[firstStart] !== 0x0a) return 'unknown';
  const domain = head.subarray(firstStart, firstStart + firstLength).toString('latin1');
  return firstStart + firstLength < inner.end &&
    head[firstStart + firstLength] === 0x12 &&
    domain.includes('::')
    ? 'B'
    : 'A';
}

const HEAD_BYTES = 64 * 1024;

/** Passes a stored stream through; throws `FORMAT_*` when it starts as a format that is read elsewhere. */
export async function* refuseOtherFormats(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let first = true;
  for await (const chunk of chunks) {
    if (first && !looksLikeGzip(chunk) && chunk.length >= 2) {
      const format = detectStored(chunk.subarray(0, HEAD_BYTES));
      if (format !== 'gzip' && format !== 'unknown' && format !== 'empty') throw otherFormat(format, false);
    }
    first = false;
    yield chunk;
  }
  if (first) {
    throw new AcsError('GZIP_EMPTY_FILE', 'the file is empty', {
      byteOffset: 0,
      expected: 'a gzip file (an empty snapshot has 20 bytes)',
      found: '0 bytes',
      hint: 'the export failed or was cut; run it again',
    });
  }
}

/** Passes an inflated stream through; throws `FORMAT_*` when it is no format-A snapshot. */
export async function* refuseOtherInflatedFormats(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let first = true;
  for await (const chunk of chunks) {
    if (first) {
      first = false;
      const format = detectInflated(chunk.subarray(0, HEAD_BYTES));
      if (format !== 'A' && format !== 'unknown' && format !== 'empty') throw otherFormat(format, true);
    }
    yield chunk;
  }
}

function otherFormat(format: SnapshotFormat, inflated: boolean): AcsError {
  if (format === 'A') {
    return new AcsError('GZIP_NOT_GZIP', 'the snapshot is not compressed', {
      byteOffset: 0,
      expected: 'gzip',
      found: 'an inflated format-A stream',
      hint: 'compress it first: gzip -n FILE (Canton too reads gzip only)',
    });
  }
  return new AcsError('FORMAT_OTHER', `the input is in another format: ${FORMAT_NAMES[format]}`, {
    byteOffset: 0,
    stream: inflated ? 'inflated' : 'file',
    expected: FORMAT_NAMES.A,
    found: FORMAT_NAMES[format],
    hint: 'convert it first: acs convert IN -o OUT.acs.gz',
  });
}
