/**
 * Opened commitments: the contracts behind one commitment, as id and reassignment counter (commitments spec, section 3).
 * Two forms are read, told apart by their first bytes: what a node streams (length-prefixed protobuf messages) and what
 * the console writes (one JSON object per line). Both can be written.
 */
import { AcsError } from '../io/error.js';
import { type ByteInput, inputName, readChunks } from '../io/input.js';
import { frameSplitter } from '../wire/frames.js';
import { WireReader } from '../wire/reader.js';
import { readVersionedMessage } from '../wire/versionedMessage.js';
import { WireWriter } from '../wire/writer.js';

export interface OpenedContract {
  /** Lower-case hexadecimal. */
  contractId: string;
  reassignmentCounter: bigint;
}

export type OpenCommitmentForm = 'node' | 'console';

/** Version number in the wrapper around each message. */
const MESSAGE_VERSION = 30;
/** A message is about 80 bytes; a longer prefix is damage. */
const MAX_MESSAGE_BYTES = 64 * 1024;
const MAX_LINE_BYTES = 1 << 20;
const MAX_CONTRACT_ID_BYTES = 127;
const MAX_COUNTER = (1n << 63n) - 1n;

/**
 * The contracts of an opened commitment, a chunk's worth at a time, in file order. Throws `OPEN_COMMITMENT_MALFORMED`,
 * `OPEN_COMMITMENT_VERSION` or `FILE_UNREADABLE`, with the place.
 */
export async function* readOpenCommitment(input: ByteInput): AsyncGenerator<OpenedContract[]> {
  const reader = openReader();
  try {
    for await (const chunk of readChunks(input)) {
      const contracts = reader.push(chunk);
      if (contracts.length > 0) yield contracts;
    }
    const last = reader.finish();
    if (last.length > 0) yield last;
  } catch (error) {
    throw error instanceof AcsError ? error.locate({ file: inputName(input) }) : error;
  }
}

interface ChunkReader {
  push(chunk: Buffer): OpenedContract[];
  finish(): OpenedContract[];
}

/** Waits for the first two bytes, which tell the form. */
function openReader(): ChunkReader {
  let head: Buffer = Buffer.alloc(0);
  let reader: ChunkReader | undefined;
  return {
    push(chunk) {
      if (reader !== undefined) return reader.push(chunk);
      head = Buffer.concat([head, chunk]);
      if (head.length < 3) return [];
      reader = formOf(head) === 'console' ? lineReader() : messageReader();
      return reader.push(head);
    },
    finish() {
      if (reader === undefined) {
        if (head.toString('latin1').trim() === '') return [];
        reader = formOf(head) === 'console' ? lineReader() : messageReader();
        return [...reader.push(head), ...reader.finish()];
      }
      return reader.finish();
    },
  };
}

/**
 * JSON text starts with a brace, maybe after blanks or a byte order mark. No message is as short as the code of a blank
 * (an active contract's id has at least 33 bytes), and a brace as length prefix is followed by a tag and the length of what
 * is nearly the whole message, not by text: indented JSON goes on with a line feed and a blank or a quote.
 */
function formOf(head: Buffer): OpenCommitmentForm {
  if (head[0] === 0xef && head[1] === 0xbb) return 'console';
  const first = head[0]!;
  if (head[0] === 0x1f && head[1] === 0x8b) {
    throw new AcsError('OPEN_COMMITMENT_MALFORMED', 'this is gzip, not an opened commitment', {
      byteOffset: 0,
      hint: 'compare snapshots with `acs diff`, or write what two participants share with `acs commitment open`',
    });
  }
  if (first === 0x7b && head[1] === 0x0a) return head[2]! <= 0x22 ? 'console' : 'node';
  if (first === 0x7b) return head[1] === 0x10 ? 'node' : 'console';
  return first === 0x20 || first === 0x09 || first === 0x0a || first === 0x0d ? 'console' : 'node';
}

function messageReader(): ChunkReader {
  const frames = frameSplitter(MAX_MESSAGE_BYTES);
  const wire = new WireReader(Buffer.alloc(0));
  const take = (step: (found: OpenedContract[]) => void): OpenedContract[] => {
    const found: OpenedContract[] = [];
    try {
      step(found);
    } catch (error) {
      throw error instanceof AcsError && error.code.startsWith('FRAME_') ? notFramed(error) : error;
    }
    return found;
  };
  return {
    push: (chunk) =>
      take((found) => {
        frames.push(chunk, (buf, start, bodyStart, end, offset) => {
          try {
            found.push(readMessage(wire, buf, bodyStart, end));
          } catch (error) {
            if (error instanceof AcsError) {
              error.place.byteOffset = offset + (error.place.byteOffset ?? start) - start;
              error.locate({ record: frames.count });
            }
            throw error;
          }
        });
      }),
    finish: () => take(() => frames.finish()),
  };
}

function notFramed(error: AcsError): AcsError {
  return new AcsError('OPEN_COMMITMENT_MALFORMED', `not an opened commitment: ${error.message}`, {
    ...error.place,
    stream: 'file',
    expected: error.expected,
    found: error.found,
    hint: 'expected the bytes of the node’s OpenCommitment reply, or the console’s file with one JSON object per line',
    cause: error,
  });
}

/** `UntypedVersionedMessage{data, version}` around `CommitmentContractMeta{cid, reassignment_counter}`. */
function readMessage(r: WireReader, buf: Buffer, start: number, end: number): OpenedContract {
  r.reset(buf, start, end);
  const { data, version } = readVersionedMessage(r);
  if (version !== MESSAGE_VERSION || data === undefined) {
    throw new AcsError('OPEN_COMMITMENT_VERSION', 'not a message of an opened commitment', {
      byteOffset: start,
      expected: `data and version ${MESSAGE_VERSION}`,
      found: data === undefined ? 'no data' : `version ${version}`,
    });
  }
  r.reset(buf, data.start, data.end);
  let contractId = '';
  let reassignmentCounter = 0n;
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x0a) {
      const n = r.length();
      contractId = n > MAX_CONTRACT_ID_BYTES ? '' : buf.toString('hex', r.pos, r.pos + n);
      r.pos += n;
    } else if (tag === 0x10) reassignmentCounter = r.int64();
    else r.skip(tag & 7);
  }
  if (contractId === '' || reassignmentCounter < 0n) {
    throw new AcsError('OPEN_COMMITMENT_MALFORMED', 'an entry has no valid contract id and counter', {
      byteOffset: data.start,
      expected: `a contract id of 1 … ${MAX_CONTRACT_ID_BYTES} bytes and a counter that is not negative`,
      found: buf.toString('hex', data.start, Math.min(data.end, data.start + 160)),
    });
  }
  return { contractId, reassignmentCounter };
}

function lineReader(): ChunkReader {
  let carried: Buffer = Buffer.alloc(0);
  let line = 0;
  const take = (bytes: Buffer, found: OpenedContract[]): void => {
    line++;
    const text = bytes
      .toString('utf8')
      .replace(/^\uFEFF/, '')
      .trim();
    if (text === '') return;
    const contract = parseLine(text, line);
    if (contract !== undefined) found.push(contract);
  };
  return {
    push(chunk) {
      const found: OpenedContract[] = [];
      const bytes = carried.length === 0 ? chunk : Buffer.concat([carried, chunk]);
      let from = 0;
      for (;;) {
        const to = bytes.indexOf(0x0a, from);
        if (to < 0) break;
        take(bytes.subarray(from, to), found);
        from = to + 1;
      }
      carried = Buffer.from(bytes.subarray(from));
      if (carried.length > MAX_LINE_BYTES) {
        throw new AcsError('OPEN_COMMITMENT_MALFORMED', 'a line is too long', {
          line: line + 1,
          expected: `at most ${MAX_LINE_BYTES} bytes`,
        });
      }
      return found;
    },
    finish() {
      const found: OpenedContract[] = [];
      if (carried.length > 0) take(carried, found);
      return found;
    },
  };
}

/** One line; undefined for the header of the extended form (an object with a `format` that begins with `acs-open/`). */
function parseLine(text: string, line: number): OpenedContract | undefined {
  const bad = (expected: string, cause?: unknown): never => {
    throw new AcsError('OPEN_COMMITMENT_MALFORMED', 'a line is not an entry of an opened commitment', {
      line,
      expected,
      found: text.length > 200 ? `${text.slice(0, 200)}…` : text,
      cause,
    });
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    bad('a JSON object', cause);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) bad('a JSON object');
  const entry = json as { cid?: unknown; reassignmentCounter?: unknown; format?: unknown };
  if (line === 1 && entry.cid === undefined && /^acs-open\//.test(String(entry.format))) return undefined;
  const { cid, reassignmentCounter: counter } = entry;
  if (
    typeof cid !== 'string' ||
    cid.length > 2 * MAX_CONTRACT_ID_BYTES ||
    !/^(?:[0-9a-fA-F]{2})+$/.test(cid)
  ) {
    return bad('cid, a contract id in hexadecimal');
  }
  const decimal = typeof counter === 'number' && Number.isSafeInteger(counter) ? String(counter) : counter;
  if (typeof decimal !== 'string' || !/^[0-9]{1,19}$/.test(decimal) || BigInt(decimal) > MAX_COUNTER) {
    return bad('reassignmentCounter, a decimal number from 0 to 2^63 - 1');
  }
  return { contractId: cid.toLowerCase(), reassignmentCounter: BigInt(decimal) };
}

/** The line the console writes for a contract, without line break. Lines are joined by `\n`, none after the last. */
export function openCommitmentLine(contract: OpenedContract): string {
  return `{"cid":"${contract.contractId}","reassignmentCounter":"${contract.reassignmentCounter}"}`;
}

/** The bytes a node streams for a contract: length prefix, wrapper, message. */
export function openCommitmentMessage(contract: OpenedContract): Buffer {
  const inner = new WireWriter(256);
  inner.messageField(1, (w) => {
    w.bytesField(1, Buffer.from(contract.contractId, 'hex'));
    if (contract.reassignmentCounter !== 0n) w.tag(2, 0).varint64(contract.reassignmentCounter);
  });
  inner.tag(2, 0).varint(MESSAGE_VERSION);
  return new WireWriter(256).varint(inner.length).raw(inner.view()).finish();
}
