/** Which kind of file a base comes from. */

import { AcsError } from '../io/error.js';
import { type ByteInput, readChunks } from '../io/input.js';
import { canReadTwice } from '../io/readTwice.js';
import { inflatedStream } from '../ledger/ledgerStream.js';
import { WireReader } from '../wire/reader.js';

export type BaseFormat = 'snapshot' | 'active-contracts';

export interface Base {
  format: BaseFormat;
  /** To be read instead of the file: what was looked at of a pipe is in it. */
  input: ByteInput;
  /** False for standard input and pipes. */
  readsTwice: boolean;
  /** For whoever does not read to the end. */
  close(): Promise<void>;
}

/** Enough of a pipe to tell what it gives. */
const HEAD_BYTES = 64 * 1024;

/** A snapshot file, or recorded `GetActiveContracts` responses: told by the first message. */
export async function openBase(file: string): Promise<Base> {
  if (await canReadTwice(file)) {
    const close = async (): Promise<void> => undefined;
    return { format: await detectBase(file), input: file, readsTwice: true, close };
  }
  const chunks = readChunks(file);
  const first: Buffer[] = [];
  for (let size = 0; size < HEAD_BYTES; ) {
    const step = await chunks.next();
    if (step.done === true) break;
    first.push(step.value);
    size += step.value.length;
  }
  async function* all(): AsyncGenerator<Buffer> {
    yield* first;
    yield* chunks;
  }
  const close = async (): Promise<void> => {
    await chunks.return(undefined);
  };
  try {
    return { format: await detectBase(Buffer.concat(first)), input: all(), readsTwice: false, close };
  } catch (error) {
    await close();
    throw error instanceof AcsError ? error.locate({ file }) : error;
  }
}

async function detectBase(file: ByteInput): Promise<BaseFormat> {
  const stream = await inflatedStream(file);
  if (stream === undefined) return 'snapshot';
  await stream.close();
  if (stream.json)
    return /"(active_?contract|incomplete_?(una|a)ssigned)"/i.test(stream.head.toString('latin1'))
      ? 'active-contracts'
      : 'snapshot';
  const r = new WireReader(stream.head);
  try {
    const n = r.uint32();
    r.end = Math.min(r.end, r.pos + n);
    while (r.pos < r.end) {
      const tag = r.tag();
      if (tag === 0x12 || tag === 0x1a || tag === 0x22) return 'active-contracts';
      if (tag !== 0x0a) return 'snapshot';
      r.skip(tag & 7);
    }
  } catch (error) {
    // Cut or no protobuf at all: the snapshot reader says what is wrong.
    if (!(error instanceof AcsError)) throw error;
  }
  return 'snapshot';
}
